import { Unmapped } from '../unmapped.ts'
import { snakeCase } from './action-names.ts'
import { fieldsOf, given, without } from './canonical-fields.ts'
import { idOfText } from './derived-ids.ts'

const REQUIRED = ['id', 'source', 'type'] as const
/** Attributes whose meaning other fields of the event carry. */
const USED: ReadonlySet<string> = new Set(['specversion', 'id', 'time', 'data', 'datacontenttype'])
const VERSION = /^v\d+$/i

/**
 * The canonical event of a CloudEvents 1.0 envelope, not yet validated: `data` is the event or fields of it, `source`
 * and `id` together are its id, `time` is when it happened. Never throws; what is no envelope becomes `Unmapped`.
 */
export function eventOfCloudEvent(raw: unknown): unknown {
  const envelope = fieldsOf(raw)
  if (envelope === null) return new Unmapped(raw, '', 'a CloudEvent is an object')
  if (given(envelope, 'specversion') !== '1.0')
    return new Unmapped(raw, '/specversion', 'specversion is "1.0", the one known here')
  const missing = REQUIRED.find((name) => typeof given(envelope, name) !== 'string')
  if (missing !== undefined) return new Unmapped(raw, `/${missing}`, `a CloudEvent needs ${missing}, a text`)
  const data = fieldsOf(given(envelope, 'data'))
  if (data === null) return new Unmapped(raw, '/data', 'data is a JSON object, the event or fields of it')
  const { id, source, type } = envelope as Readonly<Record<(typeof REQUIRED)[number], string>>
  return {
    ...data,
    // A source, being a URI reference, has no spaces: no two pairs give the same text.
    event_id: idOfText(`${source} ${id}`),
    action: given(data, 'action') ?? actionOf(type),
    ts: given(envelope, 'time') ?? given(data, 'ts'),
    cloudevent: without(envelope, USED),
  }
}

/** `com.shop.product.view` and `com.shop.product.view.v2` are `view`. */
function actionOf(type: string): string {
  const parts = type.split('.').filter((part) => part !== '')
  const last = parts.length > 1 && VERSION.test(parts.at(-1)!) ? parts.at(-2) : parts.at(-1)
  return snakeCase(last ?? '')
}
