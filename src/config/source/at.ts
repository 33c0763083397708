import { fileSource } from './file.ts'
import { isS3Url, s3Source } from './s3.ts'
import type { ConfigSource } from './source.ts'

/** The source that a path or an `s3://` URL names. A new kind of place is a line here. */
export function sourceAt(path: string): ConfigSource {
  return isS3Url(path) ? s3Source(path) : fileSource(path)
}
