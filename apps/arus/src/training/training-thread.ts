import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { ArusError } from '../errors.ts'
import { runTask, type TaskResult, type TrainingTask } from './training-task.ts'

/** Where tasks are done that a training can go on without. */
export interface TaskRunner extends AsyncDisposable {
  /** Takes the task on; the answer gives its result, and may be asked later, or never. Throws what the task throws; from a thread only the message comes along. */
  begin<Task extends TrainingTask>(task: Task): () => Promise<TaskResult<Task>>
}

/** What the thread is told. */
export interface TaskOrder {
  readonly id: number
  readonly task: TrainingTask
}

/** What the thread says. */
export type TaskReply =
  | { readonly id: number; readonly kind: 'done'; readonly result: TaskResult<TrainingTask> }
  | { readonly id: number; readonly kind: 'failed'; readonly error: unknown }

/** Interactions from which a thread, which takes a third of a second to start, is worth it. */
const THREAD_INTERACTIONS_MIN = 50_000

/** A thread of its own where there is enough to do and a core for it. */
export function taskRunnerFor(interactionCount: number, signal: AbortSignal): TaskRunner {
  return interactionCount >= THREAD_INTERACTIONS_MIN && availableParallelism() > 1
    ? new TrainingThread()
    : taskRunnerHere(signal)
}

/** Does each task when its result is asked for. */
export function taskRunnerHere(signal: AbortSignal): TaskRunner {
  return {
    begin: (task) => async () => runTask(task, signal),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** A thread that does one task after the other, in the order given, while this one goes on. It ends when it is disposed of, whatever it does. */
export class TrainingThread implements TaskRunner {
  readonly #worker = new Worker(new URL('./training-thread-main.ts', import.meta.url))
  readonly #pending = new Map<number, PromiseWithResolvers<TaskResult<TrainingTask>>>()
  #next = 0

  constructor() {
    this.#worker.on('message', (reply: TaskReply) => {
      const outcome = this.#pending.get(reply.id)
      this.#pending.delete(reply.id)
      if (reply.kind === 'done') outcome?.resolve(reply.result)
      else outcome?.reject(reply.error)
    })
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new ArusError('INTERNAL', 'The training thread has ended')))
  }

  begin<Task extends TrainingTask>(task: Task): () => Promise<TaskResult<Task>> {
    const outcome = Promise.withResolvers<TaskResult<TrainingTask>>()
    // Whoever does not ask for the result is not told of a failure either.
    outcome.promise.catch(() => {})
    this.#pending.set(this.#next, outcome)
    this.#worker.postMessage({ id: this.#next++, task } satisfies TaskOrder)
    return () => outcome.promise as Promise<TaskResult<Task>>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: unknown): void {
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }
}
