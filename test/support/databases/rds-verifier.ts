export {
  createRdsVerifier,
  type LoginCheck,
  type Sessions,
  type SignedEndpoint,
  type VerificationResult,
  verifyToken,
} from '../../../src/dev/aws/rds-verifier.ts'
