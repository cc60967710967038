type Variables = Readonly<Record<string, string | undefined>>

/** An object store that suites run on, by the variables that move Arus to it. */
export interface ObjectStore {
  readonly name: string
  readonly variables: Readonly<Record<string, string>>
}

/** Before the names of SeaweedFS's variables where tests know it beside another store. */
const BESIDE = 'SEAWEEDFS_'
/** With what each is where it is not set. */
const DEFAULTS = {
  S3_ENDPOINT: '',
  S3_BUCKET: 'arus',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: '',
  AWS_SECRET_ACCESS_KEY: '',
}

/** The variables of an object store under names of their own, so that they do not move what another store's have. */
export function besideAnother(variables: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [`${BESIDE}${name}`, value]))
}

/** The stores that the environment names: the one Arus would use, and SeaweedFS beside it. */
export function objectStores(environment: Variables = process.env): readonly ObjectStore[] {
  return [
    { name: 'S3', prefix: '' },
    { name: 'SeaweedFS', prefix: BESIDE },
  ]
    .map(({ name, prefix }) => {
      const found = Object.entries(DEFAULTS).map(([variable, otherwise]) => [
        variable,
        environment[`${prefix}${variable}`] ?? otherwise,
      ])
      return { name, variables: Object.fromEntries(found) as Record<string, string> }
    })
    .filter(({ variables }) => variables.S3_ENDPOINT !== '')
}
