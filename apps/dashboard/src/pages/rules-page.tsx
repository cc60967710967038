import { useRules } from '../api/use-rules.ts'
import { useSpeech } from '../text/language.tsx'
import { Card } from '../view/card.tsx'
import { Figure } from '../view/figure.tsx'
import { PageHead } from '../view/page-head.tsx'
import { Empty, QueryView } from '../view/query-view.tsx'
import { RulesPreview } from '../view/rules-preview.tsx'
import { RulesTable } from '../view/rules-table.tsx'

/** `/rules`: what the business wants of recommendations, switched on and off, and tried before it is kept. */
export function RulesPage() {
  const { t, format } = useSpeech()
  return (
    <>
      <PageHead title={t('rules')} intro={t('rulesIntro')} />
      <div className="grid">
        <QueryView query={useRules()}>
          {({ rules }) => (
            <>
              <Figure
                name={t('rulesOn')}
                value={format.count(rules.filter(({ enabled }) => enabled).length)}
              />
              <Card title={t('rules')}>
                {rules.length === 0 ? <Empty text={t('noRules')} /> : <RulesTable rules={rules} />}
              </Card>
            </>
          )}
        </QueryView>
        <Card title={t('rulePreview')} note={t('rulePreviewNote')}>
          <RulesPreview />
        </Card>
      </div>
    </>
  )
}
