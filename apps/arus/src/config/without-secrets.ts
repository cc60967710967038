import { maskedUrl } from './masked-url.ts'
import type { Settings } from './settings.ts'
import { sparkAddress } from './spark-settings.ts'

/** What may be shown: that a secret is set, not what it is. */
export function withoutSecrets(settings: Settings): Settings {
  const { apiKey, kafka, mlflow, s3, spark, trino } = settings
  return {
    ...settings,
    apiKey: masked(apiKey),
    databaseUrl: settings.databaseUrl === null ? null : maskedUrl(settings.databaseUrl),
    redisUrl: settings.redisUrl === null ? null : maskedUrl(settings.redisUrl),
    kafka: kafka === null ? null : { ...kafka, password: masked(kafka.password) },
    spark: spark === null ? null : { ...spark, remote: sparkAddress(spark) },
    trino: trino === null ? null : { ...trino, password: masked(trino.password) },
    mlflow:
      mlflow === null ? null : { ...mlflow, password: masked(mlflow.password), token: masked(mlflow.token) },
    s3: s3 === null ? null : { ...s3, secretAccessKey: '(set)' },
  }
}

function masked(secret: string | null): string | null {
  return secret === null ? null : '(set)'
}
