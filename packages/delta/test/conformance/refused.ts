/**
 * Table features this library refuses, each with its reason. A table that needs one of them must be refused with
 * `DELTA_FEATURE_UNSUPPORTED` and a message that names the feature; reading it anyway is a failure, since then the entry
 * is out of date.
 */
export const REFUSED_FEATURES: Readonly<Record<string, string>> = {
  catalogManaged: 'its newest commits are known to a catalog only, which this library does not ask',
  catalogOwned: 'its newest commits are known to a catalog only, which this library does not ask',
  'catalogOwned-preview': 'its newest commits are known to a catalog only, which this library does not ask',
  'redirectReaderWriter-preview': 'its rows are in another table, which the log only points to',
  interval:
    'Spark writes columns of intervals only with its type check switched off; no specification says what is in them',
  geospatial: 'its geometry and geography columns are a preview whose specification may still change',
}

/** Tables that are refused for what is in them, where no feature explains it: name in `index.json` → reason. */
export const REFUSED_TABLES: Readonly<Record<string, string>> = {
  'crc-malformed': 'its log has no commit and no checkpoint, only checksum files',
  'data-reader-absolute-paths-escaped-chars':
    'its log has no metaData action, so there is no schema to read by',
  simple_table_features:
    'its protocol contradicts itself (reader version 5 does not exist, and has no reader features) and asks for a feature, blahabl, that no specification knows',
  'versions-not-contiguous': 'version 1 is missing from its log; what it changed cannot be known',
}
