/** Why an event was refused, and where. */
export interface Refusal {
  /** JSON Pointer inside the event. */
  readonly pointer: string
  readonly reason: string
}
