import { isJsonObject, type JsonObject } from '../lib/json.ts'

/** A reply of `GET /v1/whoami` (docs/http.md), whose members have been checked. */
export interface WhoamiReply {
  principal: { issuer: string; subject: string; claims: JsonObject }
  databases: readonly { name: string; users: readonly string[] }[]
}

/** Whether a body is a reply of `GET /v1/whoami`. Texts in it may hold any characters. */
export function isWhoamiReply(body: unknown): body is WhoamiReply {
  if (!isJsonObject(body) || !isJsonObject(body.principal) || !Array.isArray(body.databases)) return false
  const { issuer, subject, claims } = body.principal
  return isText(issuer) && isText(subject) && isJsonObject(claims) && body.databases.every(isEntitlement)
}

function isEntitlement(value: unknown): boolean {
  return isJsonObject(value) && isText(value.name) && Array.isArray(value.users) && value.users.every(isText)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
