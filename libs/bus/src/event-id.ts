/** Ids stay unique for a source whose process, or whose bus within one, is started anew. */
const bootId = Date.now().toString(36)
let lastEventId = 0

export function newEventId(): string {
  lastEventId += 1
  return `${bootId}-${lastEventId.toString(36)}`
}
