import { useSpeech } from '../text/language.tsx'

const STEPS = { min: 2, max: 8 }

interface StepChooserProps {
  /** In order. */
  readonly steps: readonly string[]
  /** What there is to choose from. */
  readonly actions: readonly string[]
  readonly onChange: (steps: readonly string[]) => void
}

/** Actions to be put into a row: one that is pressed joins at the end, or leaves. */
export function StepChooser({ steps, actions, onChange }: StepChooserProps) {
  const { t, actionName } = useSpeech()
  const isFixed = (action: string) =>
    steps.includes(action) ? steps.length <= STEPS.min : steps.length >= STEPS.max
  const toggled = (action: string) =>
    steps.includes(action) ? steps.filter((step) => step !== action) : [...steps, action]
  return (
    <fieldset className="chips">
      <legend className="note">{t('chooseSteps')}</legend>
      {actions.map((action) => (
        <button
          key={action}
          type="button"
          aria-pressed={steps.includes(action)}
          disabled={isFixed(action)}
          onClick={() => onChange(toggled(action))}
        >
          {steps.includes(action) ? `${steps.indexOf(action) + 1}. ` : ''}
          {actionName(action)}
        </button>
      ))}
    </fieldset>
  )
}
