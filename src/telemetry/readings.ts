/**
 * What one instance knows of itself at this moment: gauges and the console show it. To read it calls nobody and changes nothing.
 * Times are in milliseconds since the epoch.
 */
export interface Readings {
  /** Of each RDS resource that the configuration names, in its order. */
  rates(): readonly RateReading[]
  /** Of each key with a token that can be vended, in no order: 20,000 at most. */
  liveTokens(): readonly LiveToken[]
  /** Of each role session that can still sign, in no order. */
  roleSessions(): readonly RoleSessionReading[]
  /** Of each issuer of the configuration, in its order. */
  issuerKeys(): readonly IssuerKeysReading[]
  configuration(): ConfigurationReading
  /** When certificates end: those of jeton's own listeners, and of each CA bundle that the databases need the first that ends. */
  expiries(): readonly ExpiryReading[]
}

/** How near the new tokens of one RDS resource are to their limit. */
export interface RateReading {
  /** The resource's id, such as `db-ABC…`; with account and region, `123456789012/eu-west-1/db-ABC…`, if two have the same id. */
  readonly resource: string
  /** The names of the databases that share it. */
  readonly databases: readonly string[]
  /** How many new tokens a second the fleet may deliver. */
  readonly perSecond: number
  /** How far ahead slots are reserved (ms). */
  readonly horizonMs: number
  /** How many new tokens this instance has delivered since it started. */
  readonly delivered: number
  /** How many of them in each of the last 300 seconds; the second that is not over comes last. */
  readonly deliveredBySecond: readonly number[]
  /**
   * The callers of this instance that wait for a slot, by the name of their grant; grants without any are left out. Those that
   * wait for the same token wait as one, and those whose slot waits for their role session do not.
   */
  readonly waiting: readonly { readonly grant: string; readonly callers: number }[]
  /** Undefined until this instance has read the record of the fleet's slots, and again if the clock was put back far since. */
  readonly fleet: FleetSlots | undefined
}

/**
 * What is left at this moment of what the record that all instances share said of a resource's slots when this instance last
 * read or wrote it. Others may have reserved since: of all instances, the one that knows of the fewest free slots is right.
 */
export interface FleetSlots {
  /** When that was. */
  readonly readAt: number
  /** The next slot that nobody has reserved; not before now. */
  readonly nextFreeAt: number
  /** How many slots after this moment are reserved, by any instance. */
  readonly reserved: number
  /** How many slots within the horizon are not. */
  readonly free: number
}

/** A token of this instance's cache that has been delivered. */
export interface LiveToken {
  readonly database: string
  readonly user: string
  readonly fingerprint: string
  /** The assumed role's ARN, with the session's name at its end: that of a principal if the session is its own. */
  readonly identity: string
  readonly issuedAt: number
  readonly refreshAfter: number
  readonly expiresAt: number
  /** Whether this instance minted it; else it came from the store. */
  readonly isMintedHere: boolean
}

export interface RoleSessionReading {
  readonly database: string
  readonly user: string
  readonly expiresAt: number
}

export interface IssuerKeysReading {
  /** Its name in the configuration. */
  readonly issuer: string
  /** Its `iss`. */
  readonly url: string
  /** Pinned ones are in the configuration and never fetched. */
  readonly isPinned: boolean
  /** Whether the last fetch failed: the last good keys are used until they are 24 hours old. */
  readonly isFailing: boolean
  /**
   * When the last good keys were fetched; undefined for pinned keys, and if none were fetched yet. Keys are fetched when a JWT
   * needs them, so those of an issuer that nobody uses are old.
   */
  readonly fetchedAt: number | undefined
  /** Those in use, without any key material. */
  readonly keys: readonly { readonly kid: string | undefined; readonly alg: string | undefined }[]
}

export interface ConfigurationReading {
  /** When the configuration in use was loaded. */
  readonly loadedAt: number
  /** The last reload, which has failed if the configuration could not be used; undefined if there was none since the start. */
  readonly lastReload: { readonly at: number; readonly isOk: boolean } | undefined
}

export interface ExpiryReading {
  /** `server`, `admin`, or a CA bundle by its name, such as `us-east-1`. */
  readonly of: string
  readonly kind: 'certificate' | 'ca-bundle'
  readonly notAfter: number
}
