import type { HttpRequest, ParsedReply } from '../http.ts'
import { type AwsCredentials, parseAwsCredentials } from './aws-credentials.ts'
import { singleWord } from './credential-text.ts'
import { askMetadata, METADATA_URL, noneUnlessBusy } from './metadata-server.ts'
import type { PlatformHost } from './platform.ts'
import { answerFailure } from './request-jwt.ts'

const ROLES = '/latest/meta-data/iam/security-credentials/'
const SESSION_SECONDS = '60'

/**
 * Whether this is an EC2 instance with a role. A pod of Kubernetes is none: the role there is the node's, which all pods share.
 * Throws CallerError if the metadata server answers that it is busy.
 */
export async function isInstanceWithRole(host: PlatformHost): Promise<boolean> {
  const { AWS_EC2_METADATA_DISABLED: isDisabled, KUBERNETES_SERVICE_HOST: cluster } = host.env
  if (isDisabled?.toLowerCase() === 'true' || cluster) return false
  return openMetadata(host)
    .then(get => get(ROLES))
    .then(() => true)
    .catch(noneUnlessBusy)
}

/** Returns the credentials of the instance's role, and its region unless another is named. Throws CallerError. */
export async function instanceAccess(
  host: PlatformHost,
  named: string | undefined,
): Promise<{ credentials: AwsCredentials; region: string }> {
  const get = await openMetadata(host)
  const [role = ''] = (await get(ROLES)).text.trim().split(/\s/)
  const { body } = await get(`${ROLES}${encodeURIComponent(role)}`)
  return {
    credentials: parseAwsCredentials(body, new URL(METADATA_URL).host),
    region: named ?? (await get('/latest/meta-data/placement/region')).text.trim(),
  }
}

/**
 * Opens a session of IMDSv2, and returns a function that reads a path in it.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
 */
async function openMetadata(host: PlatformHost): Promise<(path: string) => Promise<ParsedReply>> {
  const read = async (path: string, request: Omit<HttpRequest, 'url'>) => {
    const reply = await askMetadata({ url: new URL(path, METADATA_URL), ...request }, host)
    if (reply.status === 200) return reply
    throw answerFailure(reply, { name: "this machine's metadata server", host })
  }
  const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': SESSION_SECONDS }
  const { text } = await read('/latest/api/token', { method: 'PUT', headers })
  const session = singleWord(text, "the token of the instance's metadata server")
  return path => read(path, { headers: { 'x-aws-ec2-metadata-token': session } })
}
