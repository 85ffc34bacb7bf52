import { type Ingress, objectKey } from "../objects.ts";

/** Something wrong with an Ingress, or with what it names. The rest of it still works. */
export interface Problem {
  /** The Ingress, as `namespace/name`. */
  ingress: string;
  /** The field, such as `spec.rules[0].http.paths[1].backend.service.port`. */
  field: string;
  /** A word for programs, such as `ServiceNotFound`. */
  reason: ProblemReason;
  /** Why it is wrong, what follows from it, and what to do. */
  message: string;
  /** May nobody come in because of it? */
  closes?: true;
}

/** The kinds of problems. */
export type ProblemReason =
  | "AnnotationConflict"
  | "CanaryConflict"
  | "CanaryWithoutPrimary"
  | "CertificateExpired"
  | "CertificateNameMismatch"
  | "DefaultBackendConflict"
  | "HostConflict"
  | "InvalidAnnotation"
  | "InvalidBackend"
  | "InvalidCertificate"
  | "InvalidHost"
  | "InvalidPath"
  | "InvalidPathType"
  | "NoPaths"
  | "NoSecretName"
  | "NoTlsHosts"
  | "OutOfSpace"
  | "PathConflict"
  | "PortNotFound"
  | "ResourceBackend"
  | "SecretNotFound"
  | "ServiceNotFound"
  | "TlsConflict"
  | "TooManyRegexes"
  | "UnknownAnnotation"
  | "UnsafeExternalName"
  | "UnsupportedAnnotation";

/** Collects the problems of one Ingress. */
export class ProblemList {
  readonly #ingress: string;
  readonly #problems: Problem[];

  /** Adds to `problems`. */
  constructor(ingress: Ingress, problems: Problem[]) {
    this.#ingress = objectKey(ingress);
    this.#problems = problems;
  }

  /** Adds a problem. */
  add(
    reason: ProblemReason,
    field: string,
    message: string,
    { closes = false }: { closes?: boolean | undefined } = {},
  ): void {
    this.#problems.push({ ingress: this.#ingress, field, reason, message, ...closes && { closes } });
  }
}
