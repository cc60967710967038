import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ArusError } from '../errors.ts'
import { maskedUrl } from './masked-url.ts'
import { readSettings } from './settings.ts'
import { sparkAddress } from './spark-settings.ts'
import { withoutSecrets } from './without-secrets.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'arus-settings-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('with nothing set: loopback, ports 8000 and 8501, data beside the caller', () => {
  const settings = readSettings({}, folder)
  expect(settings).toMatchObject({
    shop: 'shop',
    host: '127.0.0.1',
    apiPort: 8000,
    dashboardPort: 8501,
    dataDir: join(folder, 'data'),
  })
})

test('.env fills in what the environment leaves open; an empty variable is open', () => {
  writeFileSync(join(folder, '.env'), 'ARUS_API_PORT=9001\nARUS_SHOP=toko\nARUS_HOST="0.0.0.0"\n')
  const settings = readSettings({ ARUS_SHOP: 'warung', ARUS_API_PORT: '' }, folder)
  expect(settings).toMatchObject({ apiPort: 9001, shop: 'warung', host: '0.0.0.0' })
})

test('which settings came from a file, which may be another than .env, is known', () => {
  expect(readSettings({}, folder).envFile).toBeNull()
  const path = join(folder, 'toko.env')
  writeFileSync(path, 'ARUS_SHOP=toko\nARUS_HOST=0.0.0.0\nARUS_LOG_LEVEL=\n')
  expect(readSettings({ ARUS_ENV_FILE: 'toko.env', ARUS_HOST: '127.0.0.1' }, folder)).toMatchObject({
    shop: 'toko',
    host: '127.0.0.1',
    envFile: { path, names: ['ARUS_SHOP'] },
  })
  expect(() => readSettings({ ARUS_ENV_FILE: 'warung.env' }, folder)).toThrow(/ARUS_ENV_FILE.*warung\.env/)
})

test('every wrong variable is named at once', () => {
  const read = () =>
    readSettings(
      {
        ARUS_API_PORT: 'http',
        ARUS_SHOP: 'My Shop',
        ARUS_LOG_LEVEL: 'loud',
        ARUS_PARTITIONS: '0',
        ARUS_TIME_ZONE: '+07:00',
      },
      folder,
    )
  expect(read).toThrow(ArusError)
  expect(read).toThrow(/ARUS_API_PORT.*ARUS_LOG_LEVEL|ARUS_SHOP/)
  for (const name of ['ARUS_API_PORT', 'ARUS_SHOP', 'ARUS_LOG_LEVEL', 'ARUS_PARTITIONS', 'ARUS_TIME_ZONE'])
    expect(read).toThrow(name)
})

test('Spark by its connection string, whose token is told to nobody', () => {
  const { spark } = readSettings(
    { SPARK_REMOTE: 'sc://spark:15002/;token=hidden', SPARK_LAKE: 's3a://lake/shop/' },
    folder,
  )
  expect(spark).toEqual({
    remote: 'sc://spark:15002/;token=hidden',
    kafkaServers: null,
    lakeAddress: 's3a://lake/shop',
  })
  expect(sparkAddress(spark!)).toBe('sc://spark:15002')
  const wrong = () => readSettings({ SPARK_REMOTE: 'http://spark/;token=hidden' }, folder)
  expect(wrong).toThrow(/SPARK_REMOTE must be an address such as sc:/)
  expect(wrong).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hidden') }))
})

test('a Kafka by its servers has more partitions, and a login where the protocol asks for one', () => {
  const settings = readSettings(
    {
      KAFKA_BOOTSTRAP_SERVERS: 'one:9092, [::1]:9093',
      KAFKA_TOPIC: 'clicks',
      KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
      KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_SASL_USERNAME: 'arus',
      KAFKA_SASL_PASSWORD: 'secret',
      KAFKA_REPLICATION_FACTOR: '3',
    },
    folder,
  )
  expect(settings).toMatchObject({
    kafka: {
      servers: ['one:9092', '[::1]:9093'],
      topic: 'clicks',
      security: 'SASL_SSL',
      mechanism: 'SCRAM-SHA-512',
      username: 'arus',
      password: 'secret',
      authorityFile: null,
      replicationFactor: 3,
    },
    partitionCount: 6,
  })
  expect(readSettings({}, folder)).toMatchObject({
    kafka: null,
    partitionCount: 1,
  })
})

test.each([
  ['a server that is a URL', { KAFKA_BOOTSTRAP_SERVERS: 'http://one:9092' }, 'KAFKA_BOOTSTRAP_SERVERS'],
  ['a topic without servers', { KAFKA_TOPIC: 'clicks' }, 'KAFKA_TOPIC'],
  ['a topic of other letters', { KAFKA_BOOTSTRAP_SERVERS: 'one', KAFKA_TOPIC: 'a b' }, 'KAFKA_TOPIC'],
  [
    'a login without its password',
    { KAFKA_BOOTSTRAP_SERVERS: 'one', KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', KAFKA_SASL_USERNAME: 'arus' },
    'KAFKA_SASL_PASSWORD',
  ],
  [
    'a password that nobody asks for',
    { KAFKA_BOOTSTRAP_SERVERS: 'one', KAFKA_SASL_PASSWORD: 'secret' },
    'KAFKA_SASL_PASSWORD',
  ],
  [
    'a file of authorities that is not there',
    { KAFKA_BOOTSTRAP_SERVERS: 'one', KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_CA: '/no/such/file' },
    'KAFKA_SSL_CA',
  ],
])('%s is refused', (_, environment, name) => {
  expect(() => readSettings(environment, folder)).toThrow(name)
  expect(() => readSettings(environment, folder)).not.toThrow(/secret/)
})

test('MLflow is named by its address; name and password are taken out of it, or set beside it', () => {
  expect(readSettings({}, folder).mlflow).toBeNull()
  expect(readSettings({ MLFLOW_TRACKING_URI: 'https://ani:g%40heim@host:5000/ml/' }, folder).mlflow).toEqual({
    trackingUri: 'https://host:5000/ml',
    username: 'ani',
    password: 'g@heim',
    token: null,
    cacheBytes: 4096 * 1024 * 1024,
  })
  const beside = {
    MLFLOW_TRACKING_URI: 'http://127.0.0.1:5000',
    MLFLOW_TRACKING_USERNAME: 'budi',
    MLFLOW_TRACKING_PASSWORD: 'x',
    MLFLOW_TRACKING_TOKEN: 'y',
  }
  expect(readSettings(beside, folder).mlflow).toMatchObject({ username: 'budi', password: 'x', token: 'y' })
  expect(() => readSettings({ MLFLOW_TRACKING_URI: 'databricks' }, folder)).toThrow(/MLFLOW_TRACKING_URI/)
  expect(() => readSettings({ MLFLOW_TRACKING_URI: 'ftp://ani:geheim@host' }, folder)).not.toThrow(/geheim/)
})

test('the address of a database is kept as it is, and told without its secrets where it is wrong or shown', () => {
  const url = 'postgres://arus:geheim@db.lan:5432/shops?sslmode=verify-full'
  expect(readSettings({}, folder).databaseUrl).toBeNull()
  expect(readSettings({ DATABASE_URL: url }, folder).databaseUrl).toBe(url)
  expect(readSettings({ REDIS_URL: 'rediss://:geheim@db.lan' }, folder).redisUrl).toBe(
    'rediss://:geheim@db.lan',
  )
  expect(maskedUrl(url)).toBe('postgres://arus:***@db.lan:5432/shops')
  for (const wrong of ['mysql://arus:geheim@db.lan/shops', 'arus:geheim@db.lan', 'postgres:///shops']) {
    const read = () => readSettings({ DATABASE_URL: wrong }, folder)
    expect(read).toThrow('DATABASE_URL must be an address such as postgres://')
    expect(read).not.toThrow('geheim')
  }
})

test('keys are off until they are required; a misspelled "true" is an error, not off', () => {
  expect(readSettings({}, folder)).toMatchObject({
    isKeyRequired: false,
    apiKey: null,
    rateLimitPerMinute: null,
    trustedProxies: [],
  })
  const set = readSettings(
    {
      ARUS_REQUIRE_KEYS: 'true',
      ARUS_API_KEY: 'ak_x',
      ARUS_RATE_LIMIT_PER_MINUTE: '90',
      ARUS_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    },
    folder,
  )
  expect(set).toMatchObject({
    isKeyRequired: true,
    apiKey: 'ak_x',
    rateLimitPerMinute: 90,
    trustedProxies: ['10.0.0.0/8', '::1'],
  })
  for (const value of ['yes', 'True', '1'])
    expect(() => readSettings({ ARUS_REQUIRE_KEYS: value }, folder)).toThrow('ARUS_REQUIRE_KEYS')
  for (const value of ['proxy.lan', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/'])
    expect(() => readSettings({ ARUS_TRUSTED_PROXIES: value }, folder)).toThrow('ARUS_TRUSTED_PROXIES')
})

test('no secret of any engine is shown', () => {
  const settings = readSettings(
    {
      ARUS_API_KEY: 'hidden',
      KAFKA_BOOTSTRAP_SERVERS: 'one',
      KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
      KAFKA_SASL_USERNAME: 'arus',
      KAFKA_SASL_PASSWORD: 'hidden',
      S3_BUCKET: 'lake',
      AWS_ACCESS_KEY_ID: 'key',
      AWS_SECRET_ACCESS_KEY: 'hidden',
      SPARK_REMOTE: 'sc://spark/;token=hidden',
      TRINO_URL: 'https://trino',
      TRINO_PASSWORD: 'hidden',
      MLFLOW_TRACKING_URI: 'https://mlflow',
      MLFLOW_TRACKING_TOKEN: 'hidden',
      DATABASE_URL: 'postgres://arus:hidden@one/arus',
      REDIS_URL: 'redis://:hidden@one',
    },
    folder,
  )
  expect(JSON.stringify(settings).match(/hidden/g)).toHaveLength(8)
  expect(JSON.stringify(withoutSecrets(settings))).not.toContain('hidden')
})
