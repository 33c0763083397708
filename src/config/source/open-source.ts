import { createFileConfigSource } from './file.ts'
import { createS3ConfigSource } from './s3.ts'
import { isS3Url } from './s3-url.ts'
import type { ConfigSource } from './source.ts'

/** Opens the source that a path or an `s3://` URL names. Reads nothing yet. Throws `ConfigError` for a bad URL. */
export function openConfigSource(path: string): ConfigSource {
  return isS3Url(path) ? createS3ConfigSource(path) : createFileConfigSource(path)
}
