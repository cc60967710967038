/** What simulations put in place of log and store is held to the same contracts as the real ones. */
import { eventLogContract } from '../../../../packages/event-log/test/event-log-contract.ts'
import { stateSharingContract } from '../../src/state/state-sharing-contract.ts'
import { stateStoreContract } from '../../src/state/state-store-contract.ts'
import { AT_ONCE } from './io.ts'
import { emptyLog, MemoryLog } from './memory-log.ts'
import { MemoryState, type StateContent } from './memory-state.ts'
import { noTurns, SharedState } from './shared-state.ts'

eventLogContract('in memory, for simulations', async () => {
  const content = emptyLog()
  return { open: async () => new MemoryLog(content), destroy: async () => {} }
})

stateStoreContract('in memory, for simulations', async () => {
  const content: StateContent = new Map()
  return { open: async (now) => new MemoryState(content, now), destroy: async () => {} }
})

const sharedState = () => {
  const [content, turns]: [StateContent, ReturnType<typeof noTurns>] = [new Map(), noTurns()]
  return (member: string, now: () => number = Date.now) =>
    new SharedState({ content, turns, member, now, io: AT_ONCE, random: () => 1, isUnfenced: false })
}

stateStoreContract('in memory and shared, for simulations', async () => {
  const open = sharedState()
  return { open: async (now) => open('one', now), destroy: async () => {} }
})

stateSharingContract('in memory, for simulations', async () => {
  const open = sharedState()
  return { open: async (member) => open(member), destroy: async () => {} }
})
