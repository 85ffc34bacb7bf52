/**
 * The blocks of the guides that need a cluster, on the one of `KUBECONFIG`, without any other Ingress of class
 * pingress; its nodes have the images.
 *
 * @module
 */
import { pagesBelow } from "../docs/markdown.ts";
import { hasBlocks, walk } from "../docs/walk/walk.ts";

for (const { path, text } of await pagesBelow("docs/")) {
  if (!hasBlocks(text, "cluster")) continue;
  Deno.test(`${path} does what it says, on a cluster`, async () => {
    await walk(path, "cluster");
  });
}
