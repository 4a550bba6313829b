CREATE FUNCTION "llm_lab"."refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log only grows';
END $$;
--> statement-breakpoint
CREATE TRIGGER "audit_only_grows" BEFORE UPDATE OR DELETE OR TRUNCATE ON "llm_lab"."audit"
FOR EACH STATEMENT EXECUTE FUNCTION "llm_lab"."refuse_change"();
