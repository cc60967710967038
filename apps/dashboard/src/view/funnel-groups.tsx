import type { Funnel } from 'arus/api'
import { useSpeech } from '../text/language.tsx'
import { DataTable } from './data-table.tsx'

interface Row {
  readonly key: string
  readonly name: string
  readonly steps: Funnel['steps']
}

/** A funnel told apart by a property: a row per value. */
export function FunnelGroups({ funnel }: { readonly funnel: Funnel }) {
  const { t, format, actionName } = useSpeech()
  const rows: Row[] = funnel.groups.map(({ value, steps }) => ({
    key: `value ${value}`,
    name: value ?? t('noValue'),
    steps,
  }))
  if (funnel.other !== null) rows.push({ key: 'other', name: t('others'), steps: funnel.other })
  return (
    <DataTable<Row>
      label={t('splitBy')}
      rows={rows}
      rowKey={({ key }) => key}
      columns={[
        { name: t('value'), cell: ({ name }) => name },
        ...funnel.steps.map(({ step }, i) => ({
          name: actionName(step),
          cell: ({ steps }: Row) => format.count(steps[i]?.shoppers ?? 0),
          isNumber: true,
        })),
        {
          name: t('firstToLast'),
          cell: ({ steps }) => format.percent(steps.at(-1)?.of_first ?? null),
          isNumber: true,
        },
      ]}
    />
  )
}
