"""The door for programs that edit: any command runs in the sandbox on a brief of a lab, and its edit is a proposal."""
