/** A process that runs live state on a shared Valkey, for tests that kill it: `live-member.ts LOG_FOLDER URL MEMBER`. */
import { openLmdbEventLog } from '@arus/event-log'
import { startLiveProcessor } from '../../src/live/live-processor.ts'
import { NOON, REJECTED, TOPIC } from '../../src/live/test-live.ts'
import { openValkeyStateStore } from '../../src/state/valkey-state-store.ts'

const [folder = '', url = '', member = ''] = process.argv.slice(2)
const log = await openLmdbEventLog({ folder, now: () => NOON })
const state = await openValkeyStateStore({ url, shop: 'shop', member, now: () => NOON })
const live = await startLiveProcessor({
  log,
  topic: TOPIC,
  rejectedTopic: REJECTED,
  state,
  now: () => NOON,
  idempotencyWindowMs: 86_400_000,
  retryMs: 20,
})
process.stdout.write(live.isLeading ? 'leads\n' : 'follows\n')
