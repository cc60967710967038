import Type, { type Static } from 'typebox'
import type { FunnelOptions } from '../../analytics/funnel.ts'
import { requestInvalid } from '../problem.ts'
import { durationOf } from './duration.ts'
import { PeriodFields } from './period.ts'

const ACTION = /^[a-z][a-z0-9_.:-]{0,63}$/
const STEPS_MIN = 2
const STEPS_MAX = 8

/** Query parameters of `/analytics/funnel`. */
export const FunnelQuery = Type.Object({
  ...PeriodFields,
  steps: Type.Optional(
    Type.String({
      maxLength: 600,
      description: '2 to 8 actions, comma-separated, each once. Default view, click, add_to_cart, purchase.',
      examples: ['view,add_to_cart,purchase'],
    }),
  ),
  order: Type.Optional(
    Type.Union([Type.Literal('strict'), Type.Literal('exact'), Type.Literal('any')], {
      description:
        'strict (default): each step at or after the one before. exact: and no other of the steps between. any: in whatever order.',
    }),
  ),
  window: Type.Optional(
    Type.String({
      maxLength: 10,
      description: 'From the first to the last step at most: a number and s, m, h, d or w. Default no bound.',
      examples: ['1h', '7d'],
    }),
  ),
  split_by: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: '`category`, or a key of `properties`, at the first step.',
      examples: ['category', 'device'],
    }),
  ),
  groups: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 50,
      description: 'Groups at most; the rest is `other`. Default 10.',
    }),
  ),
  where: Type.Optional(
    Type.String({
      maxLength: 400,
      description: 'Only events of this property: its name, a colon, its value.',
      examples: ['device:phone'],
    }),
  ),
})

/** Which funnel is asked for; throws `REQUEST_INVALID` naming the parameter that is wrong. */
export function funnelOptionsOf(query: Static<typeof FunnelQuery>): FunnelOptions {
  const { steps, order, window, split_by, groups, where } = query
  return {
    ...(steps ? { steps: stepsOf(steps) } : {}),
    ...(order === undefined ? {} : { order }),
    ...(window ? { windowMs: durationOf('window', window) } : {}),
    ...(split_by === undefined ? {} : { splitBy: split_by }),
    ...(groups === undefined ? {} : { groupLimit: groups }),
    ...(where ? { where: conditionOf(where) } : {}),
  }
}

function stepsOf(text: string): string[] {
  const steps = text.split(',').map((step) => step.trim())
  const reason =
    steps.length < STEPS_MIN || steps.length > STEPS_MAX
      ? `must be ${STEPS_MIN} to ${STEPS_MAX} actions, found ${steps.length}`
      : !steps.every((step) => ACTION.test(step))
        ? 'must be actions such as view,add_to_cart,purchase'
        : new Set(steps).size < steps.length
          ? 'must be different actions'
          : null
  if (reason === null) return steps
  throw requestInvalid(`"steps" ${reason}.`, [{ pointer: '/steps', reason }])
}

function conditionOf(text: string): { readonly property: string; readonly value: string } {
  const [, property = '', value = ''] = /^([^:]{1,100}):(.*)$/s.exec(text) ?? []
  if (property !== '') return { property, value }
  const reason = 'must be the name of a property, a colon and its value, such as device:phone'
  throw requestInvalid(`"where" ${reason}.`, [{ pointer: '/where', reason }])
}
