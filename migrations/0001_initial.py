# Generated from a schema diff on 2026-11-20 15:59.
from peewee import *


def up(migrator, db):
    class Attempt(Model):
        id = CharField(primary_key=True, max_length=16)
        enrolment_id = CharField(max_length=16)
        person_id = CharField(max_length=16)
        programme = CharField(max_length=32)
        version = CharField(max_length=10)
        kind_code = CharField(max_length=32)
        subject = CharField(max_length=32)
        number = IntegerField()
        open_person = CharField(unique=True, null=True, max_length=16)
        status = CharField(max_length=16)
        revision = IntegerField(default=0)
        started_at = DateTimeField()
        deadline = DateTimeField()
        accepts_until = DateTimeField()
        seen_at = DateTimeField()
        finished_at = DateTimeField(null=True)
        score = IntegerField(null=True)
        passed = BooleanField(null=True)
        key = BlobField()
        answers = BlobField()
        class Meta:
            database = db
            table_name = 'attempt'
            indexes = ((('enrolment_id', 'subject', 'number'), True), (('status', 'accepts_until'), False))
    db.create_tables([Attempt])

    class AttemptEvent(Model):
        id = CharField(primary_key=True, max_length=16)
        attempt_id = CharField(index=True, max_length=16)
        at = DateTimeField()
        action = CharField(max_length=16)
        status = CharField(max_length=16)
        score = IntegerField(null=True)
        class Meta:
            database = db
            table_name = 'attempt_event'
    db.create_tables([AttemptEvent])

    class AttemptPaper(Model):
        id = CharField(primary_key=True, max_length=16)
        seed = CharField(max_length=32)
        questions = TextField()
        class Meta:
            database = db
            table_name = 'attempt_paper'
    db.create_tables([AttemptPaper])

    class AuditEntry(Model):
        id = CharField(primary_key=True, max_length=16)
        at = DateTimeField(index=True)
        actor = CharField(max_length=40)
        action = CharField(max_length=64)
        subject = CharField(index=True, max_length=64)
        data = TextField()
        request_id = CharField(null=True, max_length=40)
        class Meta:
            database = db
            table_name = 'audit_entry'
    db.create_tables([AuditEntry])

    class Binding(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(index=True, max_length=16)
        appid = CharField(max_length=64)
        openid_sealed = TextField()
        openid_index = CharField(index=True, max_length=32)
        openid_key = CharField(unique=True, null=True, max_length=100)
        person_key = CharField(unique=True, null=True, max_length=100)
        bound_at = DateTimeField()
        ended_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'binding'
    db.create_tables([Binding])

    class Case(Model):
        id = CharField(primary_key=True, max_length=16)
        kind = CharField(max_length=48)
        subject = CharField(max_length=64)
        status = CharField(max_length=16, default='open')
        open_key = CharField(unique=True, null=True, max_length=120)
        facts_sealed = TextField()
        filed_at = DateTimeField()
        decision_sealed = TextField(null=True)
        decided_by = CharField(null=True, max_length=64)
        decided_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'case'
            indexes = ((('kind', 'subject'), False), (('status', 'filed_at'), False))
    db.create_tables([Case])

    class Consent(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(max_length=16)
        kind = CharField(max_length=16)
        version = CharField(max_length=16)
        session_id = CharField(null=True, max_length=16)
        agreed_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'consent'
            indexes = ((('person_id', 'kind', 'version'), True),)
    db.create_tables([Consent])

    class Course(Model):
        id = CharField(primary_key=True, max_length=16)
        programme = CharField(max_length=32)
        kind_code = CharField(max_length=16)
        title = CharField(max_length=128)
        class Meta:
            database = db
            table_name = 'course'
            indexes = ((('programme', 'kind_code'), True),)
    db.create_tables([Course])

    class Enrolment(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(index=True, max_length=16)
        programme = CharField(max_length=32)
        version = CharField(max_length=10)
        kind_code = CharField(max_length=32)
        roster_entry_id = CharField(index=True, max_length=16)
        open_entry_id = CharField(unique=True, null=True, max_length=16)
        certificate_expires_on = DateField(null=True)
        status = CharField(max_length=16)
        order_id = CharField(null=True, max_length=16)
        signed_up_at = DateTimeField()
        paid_at = DateTimeField(null=True)
        study_deadline = DateTimeField(null=True)
        passed_at = DateTimeField(null=True)
        completed_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'enrolment'
            indexes = ((('status', 'study_deadline'), False),)
    db.create_tables([Enrolment])

    class EnrolmentEvent(Model):
        id = CharField(primary_key=True, max_length=16)
        enrolment_id = CharField(index=True, max_length=16)
        at = DateTimeField()
        action = CharField(max_length=16)
        status = CharField(max_length=16)
        reference = CharField(null=True, max_length=16)
        class Meta:
            database = db
            table_name = 'enrolment_event'
    db.create_tables([EnrolmentEvent])

    class FaceAttempt(Model):
        id = CharField(primary_key=True, max_length=16)
        check_id = CharField(index=True, max_length=16)
        person_id = CharField(index=True, max_length=16)
        at = DateTimeField()
        outcome = CharField(max_length=16)
        reason = CharField(null=True, max_length=32)
        match_score = FloatField(null=True)
        liveness_score = FloatField(null=True)
        provider_code = CharField(null=True, max_length=16)
        evidence_file = CharField(null=True, max_length=80)
        class Meta:
            database = db
            table_name = 'face_attempt'
    db.create_tables([FaceAttempt])

    class FaceCheck(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(max_length=16)
        programme = CharField(max_length=32)
        version = CharField(max_length=10)
        purpose = CharField(max_length=16)
        rule = CharField(max_length=16, default='')
        subject = CharField(max_length=32, default='')
        method = CharField(max_length=16)
        nonce_index = CharField(max_length=32)
        status = CharField(max_length=16, default='created')
        attempts = IntegerField(default=0)
        provider_ref_sealed = TextField(null=True)
        reason = CharField(null=True, max_length=32)
        created_at = DateTimeField()
        expires_at = DateTimeField()
        asked_at = DateTimeField(null=True)
        passed_at = DateTimeField(null=True)
        consumed_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'face_check'
            indexes = ((('person_id', 'purpose', 'subject', 'status'), False), (('status', 'expires_at'), False))
    db.create_tables([FaceCheck])

    class FaceRecord(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(unique=True, max_length=16)
        photo_file = CharField(null=True, max_length=80)
        photo_status = CharField(max_length=16, default='none')
        photo_index = CharField(null=True, max_length=32)
        photo_at = DateTimeField(null=True)
        anchor_file = CharField(null=True, max_length=80)
        anchor_check_id = CharField(null=True, max_length=16)
        anchored_at = DateTimeField(null=True)
        tries = IntegerField(default=0)
        tried_at = DateTimeField(null=True)
        version = IntegerField(default=0)
        class Meta:
            database = db
            table_name = 'face_record'
    db.create_tables([FaceRecord])

    class InboxMessage(Model):
        id = CharField(primary_key=True, max_length=16)
        provider = CharField(max_length=32)
        external_id = CharField(max_length=96)
        body_sealed = TextField()
        status = CharField(max_length=16, default='pending')
        attempts = IntegerField(default=0)
        available_at = DateTimeField()
        received_at = DateTimeField()
        applied_at = DateTimeField(null=True)
        last_error = CharField(null=True, max_length=200)
        class Meta:
            database = db
            table_name = 'inbox_message'
            indexes = ((('provider', 'external_id'), True), (('status', 'available_at'), False))
    db.create_tables([InboxMessage])

    class Learner(Model):
        id = CharField(primary_key=True, max_length=16)
        started_at = DateTimeField()
        bucket_ms = IntegerField(default=0)
        bucket_at_ms = BigIntegerField(default=0)
        over_claimed = IntegerField(default=0)
        session = CharField(max_length=12, default='')
        device = CharField(max_length=12, default='')
        enrolment_id = CharField(max_length=16, default='')
        face_passed_at = DateTimeField(null=True)
        revision = IntegerField(default=0)
        class Meta:
            database = db
            table_name = 'learner'
    db.create_tables([Learner])

    class Lesson(Model):
        id = CharField(primary_key=True, max_length=16)
        course = ForeignKeyField(Course, on_delete='CASCADE')
        number = IntegerField()
        title = CharField(max_length=128)
        seconds = IntegerField()
        video = CharField(max_length=96)
        class Meta:
            database = db
            table_name = 'lesson'
            indexes = ((('course', 'number'), True),)
    db.create_tables([Lesson])

    class LessonProgress(Model):
        id = CharField(primary_key=True, max_length=16)
        enrolment_id = CharField(max_length=16)
        lesson_id = CharField(max_length=16)
        person_id = CharField(index=True, max_length=16)
        seconds = IntegerField()
        chunk_seconds = IntegerField()
        needed_chunks = IntegerField()
        rate_percent = IntegerField()
        epoch = IntegerField(default=0)
        bitmap = BlobField()
        credited_chunks = IntegerField(default=0)
        position = IntegerField(default=0)
        revision = IntegerField(default=0)
        updated_at = DateTimeField()
        completed_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'lesson_progress'
            indexes = ((('enrolment_id', 'lesson_id'), True),)
    db.create_tables([LessonProgress])

    class LoginCode(Model):
        id = CharField(primary_key=True, max_length=16)
        code_index = CharField(unique=True, max_length=32)
        programme = CharField(max_length=32)
        appid = CharField(max_length=64)
        address_index = CharField(max_length=32)
        openid_sealed = TextField(null=True)
        created_at = DateTimeField(index=True)
        bound_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'login_code'
            indexes = ((('address_index', 'created_at'), False),)
    db.create_tables([LoginCode])

    class LoginThrottle(Model):
        id = CharField(primary_key=True, max_length=16)
        scope = CharField(max_length=16)
        key = CharField(max_length=32)
        failures = IntegerField(default=0)
        last_at = DateTimeField(index=True)
        trusted_until = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'login_throttle'
            indexes = ((('scope', 'key'), True),)
    db.create_tables([LoginThrottle])

    class Notice(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(index=True, max_length=16)
        programme = CharField(max_length=32)
        kind = CharField(max_length=24)
        phone_sealed = TextField()
        created_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'notice'
    db.create_tables([Notice])

    class Order(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(index=True, max_length=16)
        programme = CharField(max_length=32)
        version = CharField(max_length=10)
        status = CharField(max_length=16)
        amount_fen = BigIntegerField()
        expires_at = DateTimeField()
        created_at = DateTimeField()
        paid_at = DateTimeField(null=True)
        closed_at = DateTimeField(null=True)
        paid_attempt_id = CharField(null=True, max_length=16)
        attempts = IntegerField(default=0)
        close_at = DateTimeField(null=True)
        close_tries = IntegerField(default=0)
        class Meta:
            database = db
            table_name = 'pay_order'
            indexes = ((('status', 'expires_at'), False), (('status', 'close_at'), False))
    db.create_tables([Order])

    class OrderLine(Model):
        id = CharField(primary_key=True, max_length=16)
        order_id = CharField(index=True, max_length=16)
        sku = CharField(index=True, max_length=64)
        open_sku = CharField(unique=True, null=True, max_length=64)
        title = CharField(max_length=200)
        amount_fen = BigIntegerField()
        class Meta:
            database = db
            table_name = 'order_line'
    db.create_tables([OrderLine])

    class OutboxMessage(Model):
        id = CharField(primary_key=True, max_length=16)
        event = CharField(max_length=64)
        subscriber = CharField(max_length=64)
        key = CharField(max_length=96)
        payload = TextField()
        status = CharField(max_length=16, default='pending')
        attempts = IntegerField(default=0)
        available_at = DateTimeField()
        created_at = DateTimeField()
        done_at = DateTimeField(null=True)
        last_error = CharField(null=True, max_length=200)
        class Meta:
            database = db
            table_name = 'outbox_message'
            indexes = ((('event', 'subscriber', 'key'), True), (('status', 'available_at'), False))
    db.create_tables([OutboxMessage])

    class PaymentAttempt(Model):
        id = CharField(primary_key=True, max_length=16)
        order_id = CharField(max_length=16)
        channel = CharField(max_length=24)
        authority = CharField(max_length=64)
        out_trade_no = CharField(unique=True, max_length=32)
        status = CharField(max_length=16)
        amount_fen = BigIntegerField()
        captured_fen = BigIntegerField(null=True)
        code_url = CharField(null=True, max_length=512)
        transaction_id = CharField(null=True, max_length=64)
        created_at = DateTimeField()
        paid_at = DateTimeField(null=True)
        closed_at = DateTimeField(null=True)
        ask_at = DateTimeField(null=True)
        checked_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'payment_attempt'
            indexes = ((('order_id',), False), (('status', 'ask_at'), False))
    db.create_tables([PaymentAttempt])

    class PaymentEvent(Model):
        id = CharField(primary_key=True, max_length=16)
        order_id = CharField(index=True, max_length=16)
        kind = CharField(max_length=16)
        subject_id = CharField(max_length=16)
        action = CharField(max_length=24)
        before = CharField(max_length=16)
        after = CharField(max_length=16)
        at = DateTimeField()
        evidence = CharField(max_length=120)
        class Meta:
            database = db
            table_name = 'payment_event'
    db.create_tables([PaymentEvent])

    class Person(Model):
        id = CharField(primary_key=True, max_length=16)
        id_number_sealed = TextField()
        id_number_index = CharField(unique=True, max_length=32)
        name_sealed = TextField()
        name_index = CharField(index=True, max_length=32)
        phone_sealed = TextField(null=True)
        phone_index = CharField(index=True, null=True, max_length=32)
        phone_origin = CharField(null=True, max_length=16)
        password_hash = CharField(null=True, max_length=160)
        password_set_at = DateTimeField(null=True)
        activated_at = DateTimeField(null=True)
        created_at = DateTimeField()
        class Meta:
            database = db
            table_name = 'person'
    db.create_tables([Person])

    class Proof(Model):
        id = CharField(primary_key=True, max_length=16)
        enrolment_id = CharField(unique=True, max_length=16)
        person_id = CharField(index=True, max_length=16)
        programme = CharField(max_length=32)
        version = CharField(max_length=10)
        kind_code = CharField(max_length=32)
        status = CharField(max_length=16)
        number = CharField(unique=True, null=True, max_length=24)
        token = CharField(unique=True, null=True, max_length=32)
        name_sealed = TextField(null=True)
        id_number_sealed = TextField(null=True)
        certificate_no_sealed = TextField(null=True)
        unwritable = CharField(null=True, max_length=200)
        earned_at = DateTimeField()
        looked_at = DateTimeField()
        issued_at = DateTimeField(null=True)
        revoked_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'proof'
            indexes = ((('status', 'looked_at'), False),)
    db.create_tables([Proof])

    class ProofEvent(Model):
        id = CharField(primary_key=True, max_length=16)
        proof_id = CharField(index=True, max_length=16)
        at = DateTimeField()
        action = CharField(max_length=16)
        status = CharField(max_length=16)
        actor = CharField(max_length=40)
        reason = CharField(null=True, max_length=200)
        class Meta:
            database = db
            table_name = 'proof_event'
    db.create_tables([ProofEvent])

    class ProofPhoto(Model):
        id = CharField(primary_key=True, max_length=16)
        sealed = BlobField()
        class Meta:
            database = db
            table_name = 'proof_photo'
    db.create_tables([ProofPhoto])

    class Question(Model):
        id = CharField(primary_key=True, max_length=16)
        programme = CharField(max_length=32)
        subject = CharField(max_length=32)
        type = CharField(max_length=8)
        stem_sha256 = CharField(max_length=64)
        version_id = CharField(max_length=16)
        active = BooleanField(default=True)
        class Meta:
            database = db
            table_name = 'question'
            indexes = ((('programme', 'subject', 'type', 'stem_sha256'), True),)
    db.create_tables([Question])

    class QuestionImport(Model):
        id = CharField(primary_key=True, max_length=16)
        programme = CharField(max_length=32)
        file_sha256 = CharField(max_length=64)
        actor = CharField(max_length=40)
        imported_at = DateTimeField()
        added = IntegerField()
        changed = IntegerField()
        unchanged = IntegerField()
        retired = IntegerField()
        class Meta:
            database = db
            table_name = 'question_import'
    db.create_tables([QuestionImport])

    class QuestionVersion(Model):
        id = CharField(primary_key=True, max_length=16)
        question_id = CharField(index=True, max_length=16)
        number = IntegerField()
        type = CharField(max_length=8)
        stem = TextField()
        options = TextField()
        mask = IntegerField()
        explanation = TextField()
        import_id = CharField(max_length=16)
        class Meta:
            database = db
            table_name = 'question_version'
    db.create_tables([QuestionVersion])

    class Refund(Model):
        id = CharField(primary_key=True, max_length=16)
        order_id = CharField(index=True, max_length=16)
        attempt_id = CharField(unique=True, max_length=16)
        out_refund_no = CharField(unique=True, max_length=32)
        amount_fen = BigIntegerField()
        reason = CharField(max_length=32)
        status = CharField(max_length=16)
        tries = IntegerField(default=0)
        try_at = DateTimeField(null=True)
        created_at = DateTimeField()
        succeeded_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'refund'
            indexes = ((('status', 'try_at'), False),)
    db.create_tables([Refund])

    class RosterEntry(Model):
        id = CharField(primary_key=True, max_length=16)
        programme = CharField(max_length=32)
        person_id = CharField(index=True, max_length=16)
        kind_code = CharField(max_length=32)
        certificate_no_sealed = TextField()
        certificate_no_index = CharField(max_length=32)
        issued_on = DateField(null=True)
        expires_on = DateField(null=True)
        import_id = CharField(max_length=16)
        class Meta:
            database = db
            table_name = 'roster_entry'
            indexes = ((('programme', 'certificate_no_index'), True),)
    db.create_tables([RosterEntry])

    class RosterImport(Model):
        id = CharField(primary_key=True, max_length=16)
        programme = CharField(max_length=32)
        file_sha256 = CharField(max_length=64)
        actor = CharField(max_length=40)
        imported_at = DateTimeField()
        rows = IntegerField()
        added = IntegerField()
        changed = IntegerField()
        class Meta:
            database = db
            table_name = 'roster_import'
    db.create_tables([RosterImport])

    class Session(Model):
        id = CharField(primary_key=True, max_length=16)
        person_id = CharField(index=True, max_length=16)
        programme = CharField(max_length=32)
        channel = CharField(max_length=16)
        proved = BooleanField()
        activated = BooleanField()
        agreement = CharField(null=True, max_length=16)
        created_at = DateTimeField()
        expires_at = DateTimeField(index=True)
        ended_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'session'
    db.create_tables([Session])

    class Sms(Model):
        id = CharField(primary_key=True, max_length=16)
        key = CharField(unique=True, max_length=96)
        person_id = CharField(index=True, max_length=16)
        programme = CharField(max_length=32)
        authority = CharField(max_length=64)
        template = CharField(max_length=32)
        template_id = CharField(max_length=32)
        sign = CharField(max_length=32)
        phone_sealed = TextField()
        phone_index = CharField(max_length=32)
        params_sealed = TextField(null=True)
        status = CharField(max_length=16)
        tries = IntegerField(default=0)
        created_at = DateTimeField()
        send_at = DateTimeField()
        expires_at = DateTimeField(null=True)
        claimed_at = DateTimeField(null=True)
        sent_at = DateTimeField(null=True)
        reported_at = DateTimeField(null=True)
        ask_at = DateTimeField(null=True)
        asked = IntegerField(default=0)
        serial_no = CharField(index=True, null=True, max_length=64)
        provider_code = CharField(null=True, max_length=64)
        class Meta:
            database = db
            table_name = 'sms'
            indexes = ((('status', 'send_at'), False), (('status', 'ask_at'), False), (('phone_index', 'status'), False))
    db.create_tables([Sms])

    class VerificationCode(Model):
        id = CharField(primary_key=True, max_length=16)
        subject_index = CharField(max_length=32)
        asker_index = CharField(max_length=32)
        window_index = CharField(max_length=32)
        person_id = CharField(null=True, max_length=16)
        programme = CharField(max_length=32)
        purpose = CharField(max_length=16)
        phone_sealed = TextField()
        phone_index = CharField(max_length=32)
        reserved = BooleanField()
        code_sealed = TextField(null=True)
        code_hash = CharField(max_length=64)
        tries = IntegerField(default=0)
        created_at = DateTimeField(index=True)
        expires_at = DateTimeField()
        used_at = DateTimeField(null=True)
        class Meta:
            database = db
            table_name = 'verification_code'
            indexes = ((('subject_index', 'created_at'), False), (('window_index', 'created_at'), False), (('phone_index', 'created_at'), False))
    db.create_tables([VerificationCode])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('verification_code'))
    migrator.migrate(migrator.drop_table('sms'))
    migrator.migrate(migrator.drop_table('session'))
    migrator.migrate(migrator.drop_table('roster_import'))
    migrator.migrate(migrator.drop_table('roster_entry'))
    migrator.migrate(migrator.drop_table('refund'))
    migrator.migrate(migrator.drop_table('question_version'))
    migrator.migrate(migrator.drop_table('question_import'))
    migrator.migrate(migrator.drop_table('question'))
    migrator.migrate(migrator.drop_table('proof_photo'))
    migrator.migrate(migrator.drop_table('proof_event'))
    migrator.migrate(migrator.drop_table('proof'))
    migrator.migrate(migrator.drop_table('person'))
    migrator.migrate(migrator.drop_table('payment_event'))
    migrator.migrate(migrator.drop_table('payment_attempt'))
    migrator.migrate(migrator.drop_table('outbox_message'))
    migrator.migrate(migrator.drop_table('order_line'))
    migrator.migrate(migrator.drop_table('pay_order'))
    migrator.migrate(migrator.drop_table('notice'))
    migrator.migrate(migrator.drop_table('login_throttle'))
    migrator.migrate(migrator.drop_table('login_code'))
    migrator.migrate(migrator.drop_table('lesson_progress'))
    migrator.migrate(migrator.drop_table('lesson'))
    migrator.migrate(migrator.drop_table('learner'))
    migrator.migrate(migrator.drop_table('inbox_message'))
    migrator.migrate(migrator.drop_table('face_record'))
    migrator.migrate(migrator.drop_table('face_check'))
    migrator.migrate(migrator.drop_table('face_attempt'))
    migrator.migrate(migrator.drop_table('enrolment_event'))
    migrator.migrate(migrator.drop_table('enrolment'))
    migrator.migrate(migrator.drop_table('course'))
    migrator.migrate(migrator.drop_table('consent'))
    migrator.migrate(migrator.drop_table('case'))
    migrator.migrate(migrator.drop_table('binding'))
    migrator.migrate(migrator.drop_table('audit_entry'))
    migrator.migrate(migrator.drop_table('attempt_paper'))
    migrator.migrate(migrator.drop_table('attempt_event'))
    migrator.migrate(migrator.drop_table('attempt'))
