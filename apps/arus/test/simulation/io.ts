/** What goes wrong with a write: nothing happens and it is told, or it happens and it is told that it failed. */
export type WriteFault = 'before' | 'after' | null

/** How a process reaches what is kept in memory for all of them. */
export interface Io {
  /** A step of waiting; what comes after it may never happen. */
  readonly wait: (label: string) => Promise<void>
  /** A read: now and then it waits too. */
  readonly read: (label: string) => Promise<void>
  /** Asked at each write. */
  readonly fault: (label: string) => WriteFault
  /** Until the process is told of a fault. */
  readonly failing: (label: string) => Promise<void>
  /** Runs a thing of the process later, as a step of its own. */
  readonly later: (label: string, run: () => void) => void
}

/** Without a simulation: no waiting, no faults. */
export const AT_ONCE: Io = {
  wait: async () => {},
  read: async () => {},
  fault: () => null,
  failing: async () => {},
  later: (_, run) => queueMicrotask(run),
}

/** Waits, writes, and waits until it is durable; in between a process may die, and faults may hit. */
export async function written<T>(
  io: Io,
  label: string,
  { write, failure }: { readonly write: () => T; readonly failure: (fault: 'before' | 'after') => Error },
): Promise<T> {
  await io.wait(label)
  const fault = io.fault(label)
  if (fault !== 'before') {
    const result = write()
    await io.wait(`${label} done`)
    if (fault === null) return result
  }
  await io.failing(`${label} fails`)
  throw failure(fault)
}
