// Search from a disk: browsers start no workers there, so a hidden frame of the page's own stands in for one. Zensical's
// own stand-in of this name lies on another host, and no page here asks another host for anything.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.documentElement.append(this.frame);
      const inside = this.frame.contentWindow;
      inside.document.open();  // Firefox would put an empty page in the place of what is written without it
      inside.document.write("<!doctype html><body></body>");
      inside.document.close();
      inside.postMessage = (data) => this.answer("message", { data });
      inside.onerror = (message) => this.answer("error", { message });
      this.ready = new Promise((done) => {
        const script = inside.document.createElement("script");
        script.src = url;
        script.onload = done;
        script.onerror = () => this.answer("error", { message: `cannot load ${url}` });
        inside.document.body.append(script);
      });
    }

    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow?.dispatchEvent(new MessageEvent("message", { data })));
    }

    terminate() {
      this.frame.remove();
    }

    answer(type, fields) {
      const event = type === "message" ? new MessageEvent(type, fields) : new ErrorEvent(type, fields);
      setTimeout(() => {
        this[`on${type}`]?.(event);
        this.dispatchEvent(event);
      });
    }
  };
}
