/** What simulations put in place of log and store is held to the same contracts as the real ones. */
import { eventLogContract } from '../../../../packages/event-log/test/event-log-contract.ts'
import { stateStoreContract } from '../../src/state/state-store-contract.ts'
import { emptyLog, MemoryLog } from './memory-log.ts'
import { MemoryState, type StateContent } from './memory-state.ts'

eventLogContract('in memory, for simulations', async () => {
  const content = emptyLog()
  return { open: async () => new MemoryLog(content), destroy: async () => {} }
})

stateStoreContract('in memory, for simulations', async () => {
  const content: StateContent = new Map()
  return { open: async (now) => new MemoryState(content, now), destroy: async () => {} }
})
