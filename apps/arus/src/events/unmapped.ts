import type { Refusal } from './refusal.ts'

/** Something sent that no canonical event can be made of: ingest refuses it for the reason given and keeps it as it came. */
export class Unmapped {
  readonly raw: unknown
  readonly refusal: Refusal

  constructor(raw: unknown, pointer: string, reason: string) {
    this.raw = raw
    this.refusal = { pointer, reason }
  }

  toJSON(): unknown {
    return this.raw
  }
}
