"""Every component in its states, as pages of docs/components: `make components`."""
