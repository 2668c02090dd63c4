import { config } from '@siplb/contracts'
import { formatProblem, reloadMessages, watchConfig, type Component, type ConfigProblem } from '@siplb/runtime'
import type { Plan } from './plan.ts'

/** Says what comes of each reload: once, though every service loads the file for itself. */
export function createReloadNews({ source }: Pick<Plan, 'source'>, say: (text: string) => void): Component {
  const tell = (facts: object, text: string) => {
    if ('settings' in facts) say(`${String(facts.settings).replaceAll(',', ', ')}: takes effect at the next start`)
    else say(text === reloadMessages.reloaded ? text : `warning: ${text}`)
  }
  const onInvalid = (problems: readonly ConfigProblem[]) => problems.forEach((problem) => say(formatProblem(problem)))
  const log = { info: tell, warn: tell, error: tell }
  return watchConfig({ schema: config, source, onLoaded: () => {}, onInvalid, log })
}
