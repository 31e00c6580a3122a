(async () => {
  const { auth } = await import(chrome.runtime.getURL("password-auth/client.js"));
  auth.onChange(async (state) => {
    const { dataset } = document.documentElement;
    if (!state.signedIn) return delete dataset.notes;
    try {
      const answer = await auth.fetch("http://127.0.0.1:3000/notes");
      if (answer.ok) dataset.notes = (await answer.json()).notes.join(", ");
    } catch (error) {
      console.warn(error.code, error.message); // "unreachable", for example: the backend does not run
    }
  });
})();
