"""Stand-ins for the outside providers, over real HTTP with real signatures, for development and tests.

A process of its own: it imports nothing from `app` or `config`. Every provider answers at the paths it has
in reality, so the product changes hosts between sandbox and live, nothing else. It binds to loopback only
and refuses to start under PROVIDERS=live. Its face check is scripted: it proves the protocol, not recognition.
"""
