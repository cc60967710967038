export { EVENT_LOG_ERRORS, EventLogError, type EventLogErrorCode } from './errors.ts'
export type {
  ConsumeOptions,
  EraseResult,
  EventLog,
  GroupInfo,
  LogBatch,
  LogEntry,
  LogRecord,
  PartitionInfo,
  PartitionLag,
  RecordPosition,
  TopicInfo,
  TopicOptions,
} from './event-log.ts'
export { committed } from './lmdb-commit.ts'
export { LmdbEventLog, type LmdbEventLogOptions, openLmdbEventLog } from './lmdb-event-log.ts'
export { murmur2, partitionOf } from './partitioner.ts'
export { type DamagedRange, type RepairOptions, repairLmdbEventLog } from './repair-log.ts'
