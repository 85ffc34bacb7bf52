import type { ProblemReason } from "../translate/problem.ts";

/**
 * How bad each kind of problem is: an error where requests are refused, or go elsewhere than the Ingress says; a
 * warning where everything is served and something of the Ingress does nothing.
 */
export const SEVERITY: Readonly<Record<ProblemReason, "error" | "warning">> = {
  AnnotationConflict: "warning",
  CanaryConflict: "warning",
  CanaryWithoutPrimary: "warning",
  CertificateExpired: "error",
  CertificateNameMismatch: "error",
  DefaultBackendConflict: "warning",
  HostConflict: "error",
  InvalidAnnotation: "error",
  InvalidBackend: "error",
  InvalidCertificate: "error",
  InvalidHost: "error",
  InvalidPath: "error",
  InvalidPathType: "error",
  NoPaths: "warning",
  NoSecretName: "warning",
  NoTlsHosts: "warning",
  OutOfSpace: "error",
  PathConflict: "error",
  PortNotFound: "error",
  ResourceBackend: "error",
  SecretNotFound: "error",
  ServiceNotFound: "error",
  TlsConflict: "warning",
  TooManyRegexes: "error",
  UnknownAnnotation: "warning",
  UnsafeExternalName: "error",
  UnsupportedAnnotation: "warning",
};
