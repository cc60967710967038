import { BLOCK_VALUES, ColumnFile } from './column-file.ts'

export interface KeyGroupsOptions {
  /** New files begin with this name; the caller removes them. */
  readonly file: string
  readonly groupCount: number
  /** Group n has the keys of which `(key & mask) >>> shift` is n. */
  readonly mask: number
  readonly shift: number
}

/** Some keys of one group; gone with the next. */
export interface GroupedKeys {
  readonly keys: Uint32Array
  /** The keys' numbers, less `first`. */
  readonly numbers: Uint16Array
  /** Number of the first key of the block that they are of, which has `count`. */
  readonly first: number
  readonly count: number
}

/** The keys of a column by groups, for those that cannot be worked on all at once: each block is put in the order of its groups. */
export class KeyGroups {
  readonly #keys: ColumnFile<Uint32Array>
  readonly #numbers: ColumnFile<Uint16Array>
  /** Of each block: where each group begins. */
  readonly #starts: Uint32Array[] = []
  readonly #keyMemory = new Uint32Array(BLOCK_VALUES)
  readonly #numberMemory = new Uint16Array(BLOCK_VALUES)

  constructor(keys: ColumnFile<Uint32Array>, { file, groupCount, mask, shift }: KeyGroupsOptions) {
    this.#keys = new ColumnFile(`${file}_keys`, Uint32Array)
    this.#numbers = new ColumnFile(`${file}_numbers`, Uint16Array)
    for (const block of keys.blocks() as Iterable<Uint32Array>) {
      const starts = new Uint32Array(groupCount + 1)
      for (let n = 0; n < block.length; n++) starts[((block[n]! & mask) >>> shift) + 1]!++
      for (let group = 0; group < groupCount; group++) starts[group + 1]! += starts[group]!
      const next = starts.slice()
      for (let n = 0; n < block.length; n++) {
        const key = block[n]!
        const place = next[(key & mask) >>> shift]!++
        this.#keyMemory[place] = key
        this.#numberMemory[place] = n
      }
      this.#keys.append(this.#keyMemory.subarray(0, block.length))
      this.#numbers.append(this.#numberMemory.subarray(0, block.length))
      this.#starts.push(starts)
    }
  }

  /** The keys of a group, ascending by number. */
  *of(group: number): Generator<GroupedKeys> {
    for (const [block, starts] of this.#starts.entries()) {
      const first = block * BLOCK_VALUES
      const count = starts.at(-1)!
      const part = { first: first + starts[group]!, count: starts[group + 1]! - starts[group]! }
      if (part.count === 0) continue
      const keys = this.#keys.read(this.#keyMemory, part)
      yield { keys, numbers: this.#numbers.read(this.#numberMemory, part), first, count }
    }
  }

  close(): void {
    this.#keys.close()
    this.#numbers.close()
  }
}
