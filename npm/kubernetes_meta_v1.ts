/**
 * The part of `@cloudydeno/kubernetes-apis/meta/v1` that the other adapters need, for machines where JSR does not answer.
 *
 * @module
 */

import type * as meta from "kubernetes-types/meta/v1.d.ts";
import type { ApiKind, JSONValue } from "./kubernetes_common.ts";
import { readKind, type Real } from "./kubernetes_wire.ts";

/** What the API server knows of an object, besides its contents. */
export type ObjectMeta = Real<meta.ObjectMeta>;
/** What the API server knows of a list. */
export type ListMeta = Real<meta.ListMeta>;
/** An answer that is no object, mostly an error. */
export type Status = Omit<Real<meta.Status>, "apiVersion" | "kind"> & { apiVersion?: "v1"; kind?: "Status" };
/** Selects objects by their labels. */
export type LabelSelector = Real<meta.LabelSelector>;
/** The object that another belongs to. */
export type OwnerReference = Real<meta.OwnerReference>;
/** One thing that is or is not so. */
export type Condition = Real<meta.Condition>;

/** Reads a Status. */
export function toStatus(input: JSONValue): Status & ApiKind {
  return readKind("v1", "Status", input);
}
