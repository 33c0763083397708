import { ConfigError } from '../problems.ts'

/** An object in S3, and the account that must own its bucket. */
export interface S3Location {
  readonly bucket: string
  readonly key: string
  /** 12 digits; undefined if the URL has none. */
  readonly owner: string | undefined
}

/** Loosely https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; ARNs of access points match too. */
const S3_URL = /^s3:\/\/([^/]+)\/(.*?[^/])(?:\?owner=(\d{12}))?$/s
/** What was meant as the owner, though S3 would take it for a part of the key. */
const MISPLACED_OWNER = /[?&]\s*owner\b/i

/** Whether a path is an `s3://` URL. Does not check that it is a valid one. */
export function isS3Url(path: string): boolean {
  return path.startsWith('s3://')
}

/**
 * Parses `s3://BUCKET/KEY?owner=ACCOUNT`, with or without the account. Throws `ConfigError` for any other text, and if an
 * owner is not at the end, is there twice, or is not the 12 digits of an account.
 */
export function parseS3Url(url: string): S3Location {
  const [, bucket, key, owner] = S3_URL.exec(url) ?? []
  if (bucket === undefined || key === undefined)
    throw unusable('a configuration in S3 must be named as s3://BUCKET/KEY?owner=ACCOUNT')
  if (MISPLACED_OWNER.test(key))
    throw unusable(`${url} must end in ?owner= and the 12 digits of the account that owns the bucket, once`)
  return { bucket, key, owner }
}

function unusable(message: string): ConfigError {
  return new ConfigError([{ path: '', message }])
}
