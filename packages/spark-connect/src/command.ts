import type { MessageInitShape } from '@bufbuild/protobuf'
import type { SparkConnectClient } from './client.ts'
import { type ExecuteOptions, execute } from './execute.ts'
import type { ExecutePlanResponse } from './protocol/spark/connect/base_pb.ts'
import type { CommandSchema } from './protocol/spark/connect/commands_pb.ts'

export type Command = NonNullable<MessageInitShape<typeof CommandSchema>['commandType']>

type ResponseType = ExecutePlanResponse['responseType']
/** What an answer of a kind holds. */
type Answer<K> = Extract<ResponseType, { case: K }> extends { value: infer V } ? V : never

/** Carries out a command of the protocol and returns all it answered. */
export async function sendCommand(
  client: SparkConnectClient,
  commandType: Command,
  options: ExecuteOptions,
): Promise<readonly ResponseType[]> {
  const plan = { opType: { case: 'command' as const, value: { commandType } } }
  const responses: ResponseType[] = []
  for await (const { responseType } of execute(client, plan, options)) responses.push(responseType)
  return responses
}

/** Carries out a command and returns its first answer of a kind; undefined when there is none. */
export async function askCommand<K extends NonNullable<ResponseType['case']>>(
  client: SparkConnectClient,
  {
    command,
    answer,
    options,
  }: { readonly command: Command; readonly answer: K; readonly options: ExecuteOptions },
): Promise<Answer<K> | undefined> {
  const responses = await sendCommand(client, command, options)
  const found = responses.find((response) => response.case === answer)
  return found?.value as Answer<K> | undefined
}
