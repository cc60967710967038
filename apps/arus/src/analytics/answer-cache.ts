/**
 * Answers by question, each computed once however many ask at the same time. The least recently asked goes when there
 * are too many; a failure is given to those who wait for it and not kept.
 */
export class AnswerCache {
  readonly #capacity: number
  readonly #answers = new Map<string, Promise<unknown>>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** The answer to `question`; `compute` must give the same type for the same question. */
  answer<T>(question: string, compute: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(question) as Promise<T> | undefined
    const answer = known ?? compute()
    this.#answers.delete(question)
    this.#answers.set(question, answer)
    if (known === undefined) this.#admit(question, answer)
    return answer
  }

  #admit(question: string, answer: Promise<unknown>): void {
    answer.catch(() => {
      if (this.#answers.get(question) === answer) this.#answers.delete(question)
    })
    const [oldest] = this.#answers.keys()
    if (this.#answers.size > this.#capacity && oldest !== undefined) this.#answers.delete(oldest)
  }
}
