import { keyOf, type Answer, type DnsRecord, type Question } from './records.ts'

/** What is known of a question, undefined where it has still to be asked. */
export type Known = (question: Question) => Answer | undefined

/** One look through what is known: notes what was used, and what would have to be asked. */
export class Inquiry {
  readonly #known: Known
  readonly #used = new Map<string, Question>()
  readonly #missing = new Map<string, Question>()
  isStale = false
  /** Why there is nothing; of the last question that had no answer. */
  code = 'ENOTFOUND'

  constructor(known: Known) {
    this.#known = known
  }

  get used(): readonly Question[] {
    return [...this.#used.values()]
  }

  get missing(): readonly Question[] {
    return [...this.#missing.values()]
  }

  /** None where there are none, and none where it is not known yet. */
  records<Type extends DnsRecord['type']>(
    question: Question,
    type: Type,
  ): readonly Extract<DnsRecord, { readonly type: Type }>[] {
    const answer = this.#known(question)
    if (answer === undefined) {
      this.#missing.set(keyOf(question), question)
      return []
    }
    this.#used.set(keyOf(question), question)
    if (answer.kind === 'nothing') {
      this.code = answer.code
      return []
    }
    this.isStale ||= answer.isStale
    return answer.records.filter((record): record is Extract<DnsRecord, { type: Type }> => record.type === type)
  }
}
