export type { KafkaConnection, KafkaLogin } from './kafka-client.ts'
export { type KafkaEventLogOptions, openKafkaEventLog } from './kafka-event-log.ts'
