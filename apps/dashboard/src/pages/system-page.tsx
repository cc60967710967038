import type { SystemMetrics } from 'arus/api'
import { useSystemMetrics } from '../api/use-system-metrics.ts'
import { Sparkline } from '../chart/sparkline.tsx'
import { ownTimeZone } from '../format/format.ts'
import { useSpeech } from '../text/language.tsx'
import { Card } from '../view/card.tsx'
import { Figure } from '../view/figure.tsx'
import { ThroughputChart } from '../view/history-charts.tsx'
import { LagHistoryCard } from '../view/lag-history.tsx'
import { GroupsTable, TablesTable, TopicsTable } from '../view/log-tables.tsx'
import { ModelsTable } from '../view/models-table.tsx'
import { PageHead } from '../view/page-head.tsx'
import { usePartitionRates } from '../view/partition-rates.ts'
import { QueryView } from '../view/query-view.tsx'

/** `/system`: services, log, lake, process and models. */
export function SystemPage() {
  const { t } = useSpeech()
  return (
    <>
      <PageHead title={t('system')} intro={t('systemIntro')}>
        <span className="note">{t('zone', { zone: ownTimeZone() })}</span>
      </PageHead>
      <div className="grid">
        <QueryView query={useSystemMetrics()} height={420}>
          {(metrics) => <Metrics metrics={metrics} />}
        </QueryView>
        <Card title={t('models')}>
          <ModelsTable />
        </Card>
      </div>
    </>
  )
}

function Metrics({ metrics }: { readonly metrics: SystemMetrics }) {
  const { t } = useSpeech()
  const rates = usePartitionRates(metrics)
  return (
    <>
      <ProcessFigures metrics={metrics} />
      <Card title={t('services')}>
        <Services services={metrics.services} />
      </Card>
      <Card className="half" title={t('throughput')} note={t('throughputUnits')}>
        <ThroughputChart history={metrics.history} />
      </Card>
      <LagHistoryCard />
      <Card className="half" title={t('topics')}>
        <TopicsTable topics={metrics.topics} rates={rates} />
      </Card>
      <Card className="half" title={t('consumerGroups')}>
        <GroupsTable groups={metrics.consumer_groups} rates={rates} />
      </Card>
      <Card className="two-thirds" title={t('tables')}>
        <TablesTable tables={metrics.tables} />
      </Card>
      <Card className="third" title={t('storage')}>
        <Storage storage={metrics.storage} />
      </Card>
    </>
  )
}

function ProcessFigures({ metrics }: { readonly metrics: SystemMetrics }) {
  const { t, format } = useSpeech()
  const { process, http, history } = metrics
  return (
    <div className="figures" data-live={metrics.generated_at}>
      <Figure name={t('requests')} value={format.decimal(http.requests_per_second)}>
        <Sparkline values={history.map(({ requests_per_second }) => requests_per_second)} />
      </Figure>
      <Figure
        name={t('latency')}
        value={format.milliseconds(http.latency_ms_p50)}
        note={t('latencyTail', { time: format.milliseconds(http.latency_ms_p99) })}
      />
      <Figure name={t('errors')} value={format.decimal(http.errors_per_minute)} />
      <Figure
        name={t('memory')}
        value={format.bytes(process.memory_bytes)}
        note={t('uptime', { time: format.seconds(process.uptime_seconds) })}
      />
      <Figure name={t('cpu')} value={format.percent(process.cpu_percent / 100)} note={t('cpuHint')} />
      <Figure name={t('eventLoop')} value={format.milliseconds(process.event_loop_delay_ms_p99)} />
    </div>
  )
}

function Services({ services }: Pick<SystemMetrics, 'services'>) {
  const { t } = useSpeech()
  return (
    <ul className="services">
      {services.map(({ slot, adapter, status, detail, problem }) => (
        <li key={slot} className="service">
          <p className="service-head">
            {slot}
            <span className={`badge ${status}`}>
              <span className="dot" aria-hidden="true" />
              {t(status)}
            </span>
          </p>
          <p className="note">
            <span className="mono">{adapter}</span> {detail === '' ? '' : `· ${detail}`}
          </p>
          {problem === null ? null : <p className="note">{problem}</p>}
        </li>
      ))}
    </ul>
  )
}

function Storage({ storage }: Pick<SystemMetrics, 'storage'>) {
  const { format } = useSpeech()
  const largest = Math.max(1, ...storage.map(({ size_bytes }) => size_bytes))
  return (
    <ul className="funnel">
      {storage.map(({ name, size_bytes }) => (
        <li key={name}>
          <div className="funnel-text">
            <span>{name}</span>
            <span>{format.bytes(size_bytes)}</span>
          </div>
          <div className="funnel-track">
            <div className="funnel-bar step-2" style={{ width: `${(size_bytes / largest) * 100}%` }} />
          </div>
        </li>
      ))}
    </ul>
  )
}
