import { Command } from 'commander'
import { ArusError } from '../errors.ts'
import { apiUrl, openApi } from './api-client.ts'
import type { CliContext } from './context.ts'
import type { CheckResult } from './system-check.ts'
import { textTable } from './table.ts'

/** `arus check`: the end-to-end system test of a running Arus. */
export function checkCommand(context: CliContext): Command {
  return new Command('check')
    .description('test every service and endpoint of a running Arus, end to end; removes what it sends')
    .option('--json', 'print the results as JSON')
    .action(async (options: { json?: boolean }) => {
      const { runSystemCheck } = await import('./system-check.ts')
      const { settings } = context.parts
      const results = await runSystemCheck({
        api: openApi(context),
        dashboardUrl: apiUrl({ ...settings, apiPort: settings.dashboardPort }),
        query: await context.parts.query(),
        signal: context.signal,
        onResult: (result) => options.json || context.note(lineOf(result)),
      })
      const failed = results.filter((result) => !result.passed)
      context.out(options.json ? JSON.stringify(results, null, 2) : reportOf(results))
      if (failed.length > 0) {
        throw new ArusError('CHECK_FAILED', `${failed.length} of ${results.length} checks failed`)
      }
    })
}

function lineOf(result: CheckResult): string {
  return `  ${result.passed ? '✓' : '✗'} ${result.name}`
}

function reportOf(results: readonly CheckResult[]): string {
  const rows = results.map(
    (result) =>
      [result.passed ? 'passed' : 'FAILED', result.name, Math.round(result.tookMs), result.detail] as const,
  )
  const passed = results.filter((result) => result.passed).length
  const table = textTable(['result', 'check', 'ms', 'detail'], rows)
  return `${table}\n\n${passed} passed, ${results.length - passed} failed`
}
