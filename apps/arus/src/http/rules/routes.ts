import Type from 'typebox'
import {
  NewRuleSchema,
  type PreviewRequestBody,
  PreviewRequestSchema,
  type RuleBody,
  RuleSchema,
  RulesPreviewSchema,
  RulesSchema,
} from '../../api-schema/rules.ts'
import { newRule } from '../../rules/new-rule.ts'
import type { Rule } from '../../rules/rule.ts'
import type { Api, ApiDeps } from '../api-deps.ts'
import { jsonText } from '../events/json-text.ts'
import { problemResponses, responses } from '../responses.ts'
import { previewRequest } from './preview-request.ts'
import { exactPreview, exactRule } from './validate.ts'

const TAGS = ['rules']
/** Room for a thousand of the longest ids. */
const BODY_LIMIT_BYTES = 1024 * 1024

const Params = Type.Object({ rule_id: Type.String({ minLength: 1, maxLength: 64, description: 'Its id.' }) })

/** `/rules`, for admin keys. Registers its own body parser, so `scope` must be encapsulated. */
export function ruleRoutes(scope: Api, { rules, previewRules }: ApiDeps): void {
  jsonText(scope)
  scope.get(
    '/rules',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'All rules, in the order in which they were made',
        response: responses(RulesSchema),
      },
    },
    async () => ({ rules: (await rules.list()).map(bodyOf) }),
  )
  scope.post(
    '/rules',
    {
      config: { scope: 'admin' },
      bodyLimit: BODY_LIMIT_BYTES,
      validatorCompiler: exactRule,
      schema: {
        tags: TAGS,
        summary: 'Make a rule',
        description: 'In force from the next answer on. `/rules/preview` shows beforehand what it does.',
        body: NewRuleSchema,
        response: { 201: { ...RuleSchema, description: 'Made.' }, ...problemResponses([400, 413, 415]) },
      },
    },
    async (request, reply) => reply.code(201).send(bodyOf(await rules.add(newRule(request.body)))),
  )
  scope.post(
    '/rules/preview',
    {
      config: { scope: 'admin' },
      bodyLimit: BODY_LIMIT_BYTES,
      validatorCompiler: exactPreview,
      schema: {
        tags: TAGS,
        summary: 'What rules would change',
        description:
          'The same answer with the rules kept and with those of the body. Nothing of it is logged or counted.',
        body: PreviewRequestSchema,
        response: responses(RulesPreviewSchema, [400, 404, 413, 415]),
      },
    },
    async (request) => {
      const preview = await previewRules(previewRequest(request.body as PreviewRequestBody))
      const { changes, without_effect } = preview
      return {
        ...preview,
        changes: changes.map((change) => ({ ...change, rules: change.rules.map(nameOf) })),
        without_effect: without_effect.map(nameOf),
      }
    },
  )
  scope.get(
    '/rules/:rule_id',
    {
      config: { scope: 'admin' },
      schema: { tags: TAGS, summary: 'A rule', params: Params, response: responses(RuleSchema, [400, 404]) },
    },
    async (request) => bodyOf(await rules.get(request.params.rule_id)),
  )
  scope.put(
    '/rules/:rule_id',
    {
      config: { scope: 'admin' },
      bodyLimit: BODY_LIMIT_BYTES,
      validatorCompiler: exactRule,
      schema: {
        tags: TAGS,
        summary: 'Put another in the place of a rule',
        description: 'All of it: what is not given has its default, not what it had before.',
        params: Params,
        body: NewRuleSchema,
        response: responses(RuleSchema, [400, 404, 413, 415]),
      },
    },
    async (request) => bodyOf(await rules.replace(request.params.rule_id, newRule(request.body))),
  )
  scope.delete(
    '/rules/:rule_id',
    {
      config: { scope: 'admin' },
      schema: {
        tags: TAGS,
        summary: 'Remove a rule',
        params: Params,
        response: responses(RuleSchema, [400, 404]),
      },
    },
    async (request) => bodyOf(await rules.remove(request.params.rule_id)),
  )
}

/** A rule holds nothing that its body does not; only that it may not be changed. */
function bodyOf(rule: Rule): RuleBody {
  return rule as unknown as RuleBody
}

function nameOf({ id, kind, name }: Rule) {
  return { id, kind, name }
}
