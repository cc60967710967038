interface PickProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly choices: readonly { readonly value: T; readonly name: string }[]
  readonly onChange: (value: T) => void
}

/** A choice of one among several, in a list that opens. */
export function Pick<T extends string>({ label, value, choices, onChange }: PickProps<T>) {
  return (
    <label className="labelled">
      {label}
      <select
        className="select"
        value={value}
        onChange={(event) => {
          const chosen = choices.find((choice) => choice.value === event.target.value)
          if (chosen !== undefined) onChange(chosen.value)
        }}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.name}
          </option>
        ))}
      </select>
    </label>
  )
}
