"""Values that a project's text declares: defaults of arguments, constants, fields of classes, configuration keys."""
