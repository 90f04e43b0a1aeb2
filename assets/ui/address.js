// What stands in the address after the #: the tab, and the product that is open over it. Each change is a step of the
// browser's history; the search itself stands before the #, and actions.js writes it.
window.mmPlace = (() => {
  const HOME = "discover";
  const decoded = (part) => { try { return decodeURIComponent(part); } catch (error) { return ""; /* cut in the middle of a letter */ } };
  const read = () => {
    const [tab, product = ""] = location.hash.slice(1).split("/");
    return { tab: tab || HOME, product: decoded(product) };
  };
  const go = (change) => {
    const { tab, product } = { ...read(), ...change };
    const hash = product ? `#${tab}/${encodeURIComponent(product)}` : tab === HOME ? "" : `#${tab}`;
    if (hash !== location.hash) history.pushState(history.state, "", location.pathname + location.search + hash);
  };
  return { read, go };
})();
