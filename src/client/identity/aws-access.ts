import { failure } from '../errors.ts'
import { sendRequest } from '../http.ts'
import { type AwsCredentials, parseAwsCredentials } from './aws-credentials.ts'
import { readCredentialFile, singleWord } from './credential-text.ts'
import { instanceAccess } from './ec2-metadata.ts'
import { parseLocalUrl } from './local-url.ts'
import type { PlatformHost } from './platform.ts'
import { answerFailure } from './request-jwt.ts'

/** What a request to AWS is signed with, and where it goes. */
export interface AwsAccess {
  credentials: AwsCredentials
  region: string
}

const CONTAINER_URL = 'http://169.254.170.2'

/** Whether the environment has AWS credentials, or names the endpoint of a container that has. Files are not searched. */
export function hasAwsVariables({ env }: Pick<PlatformHost, 'env'>): boolean {
  const hasKeys = Boolean(env.AWS_ACCESS_KEY_ID && env.AWS_SECRET_ACCESS_KEY)
  return hasKeys || containerUri({ env }) !== undefined
}

/** Returns the region that the environment names. */
export function namedRegion({ env }: Pick<PlatformHost, 'env'>): string | undefined {
  return env.AWS_REGION?.trim() || env.AWS_DEFAULT_REGION?.trim() || undefined
}

/** Returns the access of the environment, or else of the container, or of the instance. Throws CallerError. */
export async function findAwsAccess(host: PlatformHost): Promise<AwsAccess> {
  const region = namedRegion(host)
  if (!hasAwsVariables(host)) return instanceAccess(host, region)
  if (region === undefined) throw failure('no region: set AWS_REGION')
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = host.env
  if (!accessKeyId || !secretAccessKey) return { credentials: await containerCredentials(host), region }
  const { AWS_SESSION_TOKEN: sessionToken } = host.env
  return {
    credentials: {
      accessKeyId: singleWord(accessKeyId, 'AWS_ACCESS_KEY_ID'),
      secretAccessKey: singleWord(secretAccessKey, 'AWS_SECRET_ACCESS_KEY'),
      ...(sessionToken && { sessionToken: singleWord(sessionToken, 'AWS_SESSION_TOKEN') }),
    },
    region,
  }
}

function containerUri({ env }: Pick<PlatformHost, 'env'>): string | undefined {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: path, AWS_CONTAINER_CREDENTIALS_FULL_URI: uri } = env
  return path ? `${CONTAINER_URL}${path}` : uri || undefined
}

/**
 * ECS, and EKS Pod Identity, whose token is in a file that changes.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
async function containerCredentials(host: PlatformHost): Promise<AwsCredentials> {
  const url = parseLocalUrl(containerUri(host) ?? '', 'AWS_CONTAINER_CREDENTIALS_FULL_URI or …_RELATIVE_URI')
  const authorization = await containerToken(host)
  const headers = authorization === undefined ? {} : { authorization }
  const reply = await sendRequest({ url, headers }, { ...host, send: host.sendDirectly })
  if (reply.status !== 200) throw answerFailure(reply, { name: url.host, host })
  return parseAwsCredentials(reply.body, url.host)
}

async function containerToken({ env }: PlatformHost): Promise<string | undefined> {
  const { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file, AWS_CONTAINER_AUTHORIZATION_TOKEN: token } = env
  if (file) return singleWord(await readCredentialFile(file), file)
  return token ? singleWord(token, 'AWS_CONTAINER_AUTHORIZATION_TOKEN') : undefined
}
