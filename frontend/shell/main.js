// What every page needs: htmx for partial updates, Bootstrap for menus and dialogs.
import htmx from "htmx.org";
import "bootstrap";

// htmx would add a style element and evaluate strings, which the Content-Security-Policy refuses.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
window.htmx = htmx;
