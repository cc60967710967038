/** The thread of `TrainingThread`: does the tasks it is given, one after the other. */
import { parentPort } from 'node:worker_threads'
import type { FileParts } from '@arus/recommenders'
import { runTask, type TaskResult, type TrainingTask } from './training-task.ts'
import type { TaskOrder, TaskReply } from './training-thread.ts'

/** Nobody aborts it: the thread is ended. */
const { signal } = new AbortController()

parentPort?.on('message', ({ id, task }: TaskOrder) => {
  try {
    const result = runTask(task, signal)
    say({ id, kind: 'done', result }, filesOf(result))
  } catch (error) {
    say({ id, kind: 'failed', error }, [])
  }
})

/** Files go to the other thread, without a copy. */
function say(reply: TaskReply, files: readonly ArrayBuffer[]): void {
  parentPort?.postMessage(reply, files)
}

function filesOf(result: TaskResult<TrainingTask>): ArrayBuffer[] {
  if (result === null) return []
  const files: FileParts[] = 'spec' in result ? [result.past, result.whole] : [...result.values()]
  // Models have parts in common; memory of kernels is shared already.
  const buffers = new Set(files.flat().map(({ buffer }) => buffer))
  return [...buffers].filter((buffer) => buffer instanceof ArrayBuffer)
}
