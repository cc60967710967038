import type { LagHistoryBody, SystemMetrics } from 'arus/api'
import { useLagHistory } from '../api/use-lag-history.ts'
import { Sparkline } from '../chart/sparkline.tsx'
import { ownTimeZone } from '../format/format.ts'
import { useSpeech } from '../text/language.tsx'
import { DataTable } from './data-table.tsx'
import { partitionKey, type Rates } from './partition-rates.ts'
import { Empty } from './query-view.tsx'

type Topic = SystemMetrics['topics'][number]
type Group = SystemMetrics['consumer_groups'][number]

interface WithRates {
  readonly rates: Rates
}

/** Topics of the log: totals, then each partition with its offsets. */
export function TopicsTable({ topics, rates }: Pick<SystemMetrics, 'topics'> & WithRates) {
  const { t, format } = useSpeech()
  const rateText = (rate: number | undefined) => (rate === undefined ? '' : format.decimal(rate))
  if (topics.length === 0) return <Empty text={t('empty')} />
  const rows = topics.flatMap((topic) => [
    { topic, partition: null },
    ...topic.partitions.map((partition) => ({ topic, partition })),
  ])
  type Row = { readonly topic: Topic; readonly partition: Topic['partitions'][number] | null }
  return (
    <DataTable<Row>
      label={t('topics')}
      rows={rows}
      rowKey={({ topic, partition }) => `${topic.topic} ${partition?.partition}`}
      columns={[
        {
          name: t('topic'),
          cell: ({ topic, partition }) =>
            partition === null ? (
              <b>{topic.topic}</b>
            ) : (
              <span className="note">{t('partitionOf', { partition: partition.partition })}</span>
            ),
        },
        {
          name: t('messages'),
          cell: ({ topic, partition }) =>
            format.count(partition === null ? topic.messages : partition.end_offset - partition.start_offset),
          isNumber: true,
        },
        {
          name: t('perSecond'),
          cell: ({ topic, partition }) =>
            rateText(
              partition === null
                ? topic.messages_per_second
                : rates.get(partitionKey(topic.topic, partition.partition)),
            ),
          isNumber: true,
        },
        {
          name: t('size'),
          cell: ({ topic, partition }) => (partition === null ? format.bytes(topic.size_bytes) : ''),
          isNumber: true,
        },
        {
          name: t('newest'),
          cell: ({ partition }) =>
            partition?.newest_at ? format.time(partition.newest_at, ownTimeZone()) : '',
          isNumber: true,
        },
      ]}
    />
  )
}

/** Consumer groups: totals, then how far each partition is behind. */
export function GroupsTable({ groups, rates }: { readonly groups: readonly Group[] } & WithRates) {
  const { t, format } = useSpeech()
  const rateText = (rate: number | undefined) => (rate === undefined ? '' : format.decimal(rate))
  const history = useLagHistory('hour').data
  if (groups.length === 0) return <Empty text={t('empty')} />
  type Row = { readonly group: Group; readonly partition: Group['partitions'][number] | null }
  const rows: Row[] = groups.flatMap((group) => [
    { group, partition: null },
    ...group.partitions.map((partition) => ({ group, partition })),
  ])
  return (
    <DataTable<Row>
      label={t('consumerGroups')}
      rows={rows}
      rowKey={({ group, partition }) => `${group.group} ${partition?.topic} ${partition?.partition}`}
      columns={[
        {
          name: t('group'),
          cell: ({ group, partition }) =>
            partition === null ? (
              <b>{group.group}</b>
            ) : (
              <span className="note">{`${partition.topic} ${t('partitionOf', { partition: partition.partition })}`}</span>
            ),
        },
        {
          name: t('committed'),
          cell: ({ partition }) => (partition === null ? '' : format.count(partition.committed_offset)),
          isNumber: true,
        },
        {
          name: t('lag'),
          cell: ({ group, partition }) => format.count((partition ?? group).lag),
          isNumber: true,
        },
        {
          name: t('lagLastHour'),
          cell: ({ group, partition }) => (
            <Sparkline values={lagsOf(history, group.group, partition)} label={t('lagLastHour')} />
          ),
        },
        {
          name: t('behind'),
          cell: ({ group, partition }) => format.seconds((partition ?? group).lag_seconds),
          isNumber: true,
        },
        {
          name: t('perSecond'),
          cell: ({ group, partition }) =>
            rateText(
              partition === null
                ? group.processed_per_second
                : rates.get(partitionKey(partition.topic, partition.partition, group.group)),
            ),
          isNumber: true,
        },
      ]}
    />
  )
}

/** Messages a group, or a partition of it, was behind in the last hour; steps of which nothing is known are left out. */
function lagsOf(
  history: LagHistoryBody | undefined,
  name: string,
  partition: Group['partitions'][number] | null,
): readonly number[] {
  const group = history?.groups.find((candidate) => candidate.group === name)
  const track =
    partition === null
      ? group
      : group?.partitions.find(
          (candidate) => candidate.topic === partition.topic && candidate.partition === partition.partition,
        )
  return track?.lag.filter((lag) => lag !== null) ?? []
}

/** Tables of the lake. */
export function TablesTable({ tables }: Pick<SystemMetrics, 'tables'>) {
  const { t, format } = useSpeech()
  if (tables.length === 0) return <Empty text={t('empty')} />
  return (
    <DataTable
      label={t('tables')}
      rows={tables}
      rowKey={({ table }) => table}
      columns={[
        { name: t('table'), cell: ({ table }) => <span className="mono">{table}</span> },
        { name: t('tableVersion'), cell: ({ version }) => format.count(version), isNumber: true },
        { name: t('rows'), cell: ({ rows }) => format.count(rows), isNumber: true },
        { name: t('files'), cell: ({ files }) => format.count(files), isNumber: true },
        { name: t('size'), cell: ({ size_bytes }) => format.bytes(size_bytes), isNumber: true },
        {
          name: t('updated'),
          cell: ({ updated_at }) => (updated_at === null ? '–' : format.dateTime(updated_at, ownTimeZone())),
          isNumber: true,
        },
        {
          name: t('failingChecks'),
          cell: ({ failing_checks }) => format.count(failing_checks),
          isNumber: true,
        },
      ]}
    />
  )
}
