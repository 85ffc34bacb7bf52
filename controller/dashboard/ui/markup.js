/**
 * Markup in template literals.
 *
 * @module
 */
import htm from "htm";
import { h } from "preact";

/** @typedef {import("preact").ComponentChildren} Children */

/** @typedef {(strings: TemplateStringsArray, ...values: unknown[]) => import("preact").VNode} Html */

// its types are those of CommonJS, where the default export is a property; what is loaded is the function itself
const { bind } = /** @type {{ bind(element: typeof h): Html }} */ (/** @type {unknown} */ (htm));

/** What a component returns: `` markup`<p>${text}</p>` ``. Every value in it is text, never markup. */
export const markup = bind.call(htm, h);
