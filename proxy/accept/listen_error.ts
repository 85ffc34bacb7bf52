import { type Address, errorMessage, formatAddress } from "@pingress/config";

/** The message of a failure to listen that tells the user what to do; the failure is Deno's or Node's. */
export function listenErrorMessage(error: unknown, address: Address): string {
  const place = formatAddress(address);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (error instanceof Deno.errors.AddrInUse || code === "EADDRINUSE") {
    return `Cannot listen on ${place}: another program does. Stop it or choose another address`;
  }
  if (error instanceof Deno.errors.PermissionDenied || code === "EACCES") {
    return `Cannot listen on ${place}: ports below 1024 need privileges. Choose another address, or give them`;
  }
  return `Cannot listen on ${place}: ${errorMessage(error)}`;
}
