import { Command } from 'commander'
import type { CliContext } from './context.ts'
import { rulesAddCommand } from './rules-add-command.ts'
import { rulesListCommand } from './rules-list-command.ts'
import { rulesPreviewCommand } from './rules-preview-command.ts'
import { rulesRemoveCommand } from './rules-remove-command.ts'
import { rulesSwitchCommand } from './rules-switch-command.ts'

/** `arus rules`: what the business wants of recommendations. All but `preview` work with or without a running server. */
export function rulesCommand(context: CliContext): Command {
  return new Command('rules')
    .description('rules of the business: boost, bury, pin, exclude, cap, diversify, explore')
    .addCommand(rulesListCommand(context))
    .addCommand(rulesAddCommand(context))
    .addCommand(rulesPreviewCommand(context))
    .addCommand(rulesSwitchCommand(context, 'enable'))
    .addCommand(rulesSwitchCommand(context, 'disable'))
    .addCommand(rulesRemoveCommand(context))
}
