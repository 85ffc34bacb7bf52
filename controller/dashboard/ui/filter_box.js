/**
 * A filter for one value of several.
 *
 * @module
 */
import { h } from "preact";
import { useEffect, useId, useState } from "preact/hooks";

/**
 * @typedef {object} FilterProps
 * @property {string} label
 * @property {string} all The words for no filter.
 * @property {string} value
 * @property {string[]} choices
 * @property {(value: string) => void} onChange
 */

/** @typedef {{ currentTarget: HTMLInputElement | HTMLSelectElement }} ChangeEvent */

/** So many choices are a list to pick from; of more, those are offered that have what is typed in them. */
const OFFERED = 50;

/** @param {FilterProps} props */
export function FilterBox(props) {
  return props.choices.length > OFFERED ? h(TypedFilter, props) : h(PickedFilter, props);
}

/** @param {FilterProps} props */
function PickedFilter({ label, all, value, choices, onChange }) {
  // one that is not there any more still filters, and must be seen to
  const offered = value === "" || choices.includes(value) ? choices : [value, ...choices];
  return h(
    "label",
    { class: "filter" },
    h("span", { class: "sr-only" }, label),
    h(
      "select",
      { value, onChange: (/** @type {ChangeEvent} */ event) => onChange(event.currentTarget.value) },
      h("option", { value: "" }, all),
      offered.map((choice) => h("option", { key: choice, value: choice }, choice)),
    ),
  );
}

/** @param {FilterProps} props */
function TypedFilter({ label, all, value, choices, onChange }) {
  const id = useId();
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const offered = choices.filter((choice) => choice.includes(text)).slice(0, OFFERED);

  /** @param {ChangeEvent} event */
  function change({ currentTarget }) {
    const typed = currentTarget.value.trim();
    setText(typed);
    if (typed === "" || choices.includes(typed)) onChange(typed);
  }
  return h(
    "label",
    { class: "filter" },
    h("span", { class: "sr-only" }, label),
    h("input", {
      type: "search",
      list: id,
      placeholder: all,
      value: text,
      autocomplete: "off",
      onInput: change,
    }),
    h("datalist", { id }, offered.map((choice) => h("option", { key: choice, value: choice }))),
  );
}
